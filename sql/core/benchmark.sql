-- What chance and ceiling of each benchmark are: the curated list as it stands.
select
    benchmark,
    axis,
    unit,
    chance_score,
    ceiling_score,
    note
from raw.benchmark
order by benchmark

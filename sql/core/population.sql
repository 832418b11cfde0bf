-- How many people there are: the curated projection as it stands.
select
    year,
    people,
    kind,
    confidence,
    note,
    source_url
from raw.population
order by year

-- What a company disclosed about one day of serving: the curated quantities as they stand.
select
    quantity,
    amount,
    unit,
    kind,
    date_label,
    confidence,
    note,
    source_url
from raw.serving_disclosure
order by quantity

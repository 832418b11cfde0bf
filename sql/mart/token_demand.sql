-- How many tokens a day were served per person on earth, by each disclosure; the claim speaks of 10,000.
select
    volume.date,
    volume.discloser,
    volume.scope,
    volume.tokens_per_day,
    volume.tokens_per_day / population.people as tokens_per_person_day,
    volume.tokens_per_day / population.people / 10000 as share_of_claim,
    volume.kind,
    volume.nested_in is not null as is_nested,
    volume.confidence,
    volume.source_url
from core.token_volume as volume
inner join core.population as population on population.year = year(volume.date)
order by volume.date, volume.discloser, volume.scope, volume.tokens_per_day

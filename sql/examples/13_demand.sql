-- Who serves how many tokens per person on earth and day?
select date, discloser, scope, tokens_per_person_day, share_of_claim, kind, is_nested
from mart.token_demand
order by tokens_per_person_day desc

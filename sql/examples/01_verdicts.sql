-- What does the data say about each claim, with number and interval?
select claim_id, verdict, value, ci_low, ci_high, unit, sentence
from mart.claim_verdict
order by ordinal

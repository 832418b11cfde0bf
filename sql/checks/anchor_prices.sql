-- table: mart.price_offer
-- severity: critical
-- Well-known first-party prices pin the unit: Claude Sonnet input is USD 2 to 3, GPT-4o is 2.5 to 5 per million
-- tokens. A unit slip of a whole feed would break them.
select listing_id, source, valid_from, input_usd_per_mtok
from mart.price_offer
where (provider = 'anthropic' and ai_model_id like 'claude-%sonnet%' and input_usd_per_mtok not between 2 and 3)
    or (provider = 'openai' and ai_model_id like 'gpt-4o-2024-%' and input_usd_per_mtok not between 2.5 and 5)

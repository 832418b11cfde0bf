-- At which scale does a cost cut of 0.001 % pay for four years of one PhD?
select company, period, cost_base_usd, annual_saving_usd, payback_years_low, payback_years, payback_years_high, confidence
from mart.scale_payback
order by company, period

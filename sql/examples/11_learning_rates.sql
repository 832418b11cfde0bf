-- What learns how fast, and for which technologies can production be told from time?
select technology, estimator, learning_rate, ci_low, ci_high, doublings, identification
from mart.experience_fit
where estimator in ('wright_trend:published', 'wright_levels:published')
order by technology, estimator

-- Where does the data come from, under which licence, and how old is it?
select source, producer, title, licence, vintage_date, attribution
from core.source
order by source

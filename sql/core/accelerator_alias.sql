-- Which accelerator a seller means by a name: the curated list as it stands.
select
    alias,
    accelerator,
    chip,
    form_factor,
    note
from raw.accelerator_alias
order by alias

-- What each accelerator can do: the curated specifications as they stand.
select
    accelerator,
    designer,
    generation,
    release_date,
    memory_gb,
    memory_bandwidth_tb_s,
    bf16_dense_tflops,
    fp8_dense_tflops,
    fp4_dense_tflops,
    tdp_w,
    price_usd,
    price_kind,
    confidence,
    note,
    source_url
from raw.accelerator
order by accelerator

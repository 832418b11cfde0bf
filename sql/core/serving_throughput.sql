-- How fast tokens are served: the curated measurements as they stand, scopes kept apart.
select
    throughput_id,
    date,
    served_model,
    active_params_b,
    accelerator,
    accelerator_count,
    precision,
    input_tokens_per_second_per_gpu,
    output_tokens_per_second_per_gpu,
    total_tokens_per_second_per_gpu,
    tokens_per_second_per_user,
    scope,
    measured_by,
    workload,
    confidence,
    note,
    source_url
from raw.serving_throughput
order by throughput_id

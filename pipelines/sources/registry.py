"""Every source there is: one line each. Assets, checks, attribution and doctor derive from here."""

from pipelines.sources.base import Origin, PriceSource
from pipelines.sources.genai_prices import GENAI_PRICES

PRICE_SOURCES: tuple[PriceSource, ...] = (GENAI_PRICES,)

REFERENCE_ORIGIN = Origin(
    producer="freefall",
    title="curated reference facts (data/reference)",
    url="data/reference/",
    licence="facts with their source per row; see the header of each file",
)
REFERENCE_NAME = "reference"

# Publishers whose facts the reference files carry; charts name those they show.
REFERENCE_PUBLISHERS: dict[str, Origin] = {
    "epoch_ai": Origin(
        "Epoch AI",
        "Benchmarking Hub, ECI, AI chip sales and ML hardware",
        "https://epoch.ai/data",
        "CC BY 4.0",
    ),
    "lmarena": Origin("LMArena", "Arena leaderboard", "https://lmarena.ai", "scores as facts"),
    "llm_stats": Origin("llm-stats", "Vendor-reported benchmark scores", "https://llm-stats.com", "CC BY 4.0"),
    "compute_curve": Origin(
        "AWS spot history (Zenodo) and gpurentalprices.com",
        "GPU rental prices",
        "https://gpurentalprices.com",
        "CC BY 4.0",
    ),
    "performance_curve_database": Origin(
        "Santa Fe Institute",
        "Performance Curve Database",
        "https://pcdb.santafe.edu",
        "MIT copy; facts with attribution",
    ),
    "our_world_in_data": Origin(
        "Our World in Data", "Solar PV module prices", "https://ourworldindata.org", "CC BY 4.0"
    ),
    "deepseek": Origin(
        "DeepSeek",
        "V3/R1 inference system overview, February 2025",
        "https://github.com/deepseek-ai/open-infra-index",
        "CC0-1.0",
    ),
    "mlperf": Origin(
        "MLCommons",
        "MLPerf Inference v5.1, closed division",
        "https://mlcommons.org",
        "result ids in the rows",
    ),
    "united_nations": Origin(
        "United Nations", "World Population Prospects 2024", "https://population.un.org/wpp", "CC BY 3.0 IGO"
    ),
    "company_disclosures": Origin(
        "Companies named in the rows",
        "Accounts, price pages and token volumes",
        "https://www.sec.gov",
        "facts",
    ),
}

"""Columns that several tables share, declared once so that they mean the same everywhere."""

from pipelines.schema.table import Column

USD_PER_MTOK_TYPE = "DECIMAL(18,9)"

AI_MODEL_ID = Column("ai_model_id", "VARCHAR", "AI model, the key of core.ai_model.")
MODE = Column(
    "mode",
    "VARCHAR",
    "How the AI model is run: base (no thinking), reasoning (thinking on), effort (a stated effort level), "
    "unspecified (the source does not say). NULL: the price serves every mode of the model.",
    nullable=True,
    allowed=("base", "reasoning", "effort", "unspecified"),
)
DEVELOPER = Column("developer", "VARCHAR", "Who made the AI model.")
PROVIDER = Column("provider", "VARCHAR", "Who sells the tokens, the key of core.provider.")
LISTING_ID = Column(
    "listing_id",
    "VARCHAR",
    "Provider and id as published, `provider/source_model_id`; the key of core.listing.",
)
METER = Column(
    "meter",
    "VARCHAR",
    "What is counted: input, output, cache_read, cache_write, cache_write_1h, with a prefix batch_, flex_, priority_ "
    "or off_peak_ where it is not the standard tier, and others such as audio_input or web_search.",
)
TIER_MIN_TOKENS = Column(
    "tier_min_tokens",
    "BIGINT",
    "The price applies from this many input tokens of a request; 0 is the base tier.",
    minimum=0,
)
USD_PER_MTOK = Column("usd_per_mtok", USD_PER_MTOK_TYPE, "Price in USD per million tokens.", minimum=0)
EVENT_USD_PER_MTOK = USD_PER_MTOK.but(
    comment="Price in USD per million tokens. NULL: the meter does not count tokens. 0: free.", nullable=True
)
UNIT = Column("unit", "VARCHAR", "Unit of amount_original, for example `USD per million tokens`.")
AMOUNT_ORIGINAL = Column("amount_original", "VARCHAR", "The amount exactly as the source prints it.")
CURRENCY = Column("currency", "VARCHAR", "ISO 4217 code of amount_original.")
VALID_FROM = Column(
    "valid_from",
    "DATE",
    "First day the price held (inclusive). NULL: it held before valid_to, the source does not say since when.",
    nullable=True,
)
VALID_TO = Column(
    "valid_to", "DATE", "First day the price no longer held (exclusive). NULL: still open.", nullable=True
)
KNOWN_FROM = Column("known_from", "TIMESTAMP", "UTC instant since which freefall's source said so (inclusive).")
KNOWN_TO = Column(
    "known_to",
    "TIMESTAMP",
    "UTC instant at which the source stopped saying so (exclusive). NULL: it still does.",
    nullable=True,
)
DATE_KIND = Column(
    "date_kind",
    "VARCHAR",
    "What valid_from is: launch (first price of the listing), list_change (the day the list changed), observed (the day "
    "we saw it; the change lies before), announced (stated for the future).",
    allowed=("launch", "list_change", "observed", "announced"),
)
SOURCE = Column("source", "VARCHAR", "Who says so, the key of core.source.")
SOURCE_URL = Column("source_url", "VARCHAR", "Page or file the row was read from. NULL: none recorded.", nullable=True)
CONFIDENCE = Column(
    "confidence",
    "VARCHAR",
    "high (a primary page or two independent sources), medium (one stored copy), low (memory or a look-ahead date: kept "
    "out of headline fits).",
    allowed=("high", "medium", "low"),
)
NOTE = Column("note", "VARCHAR", "What a reader must know about the row.", nullable=True)
SNAPSHOT_SHA256 = Column("snapshot_sha256", "VARCHAR", "Payload the row was parsed from, the key of the archive.")
LEVEL = Column("level", "DOUBLE", "Confidence level of the interval, as a share.", minimum=0, maximum=1)
CI_LOW = Column("ci_low", "DOUBLE", "Lower end of the interval. NULL: there is none, flags say why.", nullable=True)
CI_HIGH = Column("ci_high", "DOUBLE", "Upper end of the interval. NULL: there is none, flags say why.", nullable=True)
FLAGS = Column("flags", "VARCHAR", "What limits this number, comma-separated; empty when nothing does.")
AXIS = Column(
    "axis",
    "VARCHAR",
    "What holds performance constant: gpqa (GPQA Diamond, %), mmlu (MMLU, %) or eci (Epoch Capabilities Index, points).",
)
THRESHOLD = Column(
    "threshold", "DOUBLE", "Level of the axis that an AI model must reach, in the axis's unit.", nullable=True
)

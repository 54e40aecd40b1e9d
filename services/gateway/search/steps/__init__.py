"""How a query is understood, step by step, in this order. Each step is a plain function and explains itself."""

from services.gateway.search.query import Step
from services.gateway.search.steps.industry import infer_industry
from services.gateway.search.steps.intent import infer_intent
from services.gateway.search.steps.normalise import normalise
from services.gateway.search.steps.slips import recover_slips
from services.gateway.search.steps.synonyms import synonyms
from services.gateway.search.steps.variants import spelling_variants

STEPS: tuple[Step, ...] = (normalise, spelling_variants, recover_slips, synonyms, infer_industry, infer_intent)
LITERAL_STEPS: tuple[Step, ...] = (normalise, infer_industry)

__all__ = ["LITERAL_STEPS", "STEPS"]

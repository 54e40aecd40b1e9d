"""How a query is understood, step by step, in this order. Each step is a plain function and explains itself."""

from services.gateway.search.query import Step
from services.gateway.search.steps.amounts import find_amounts
from services.gateway.search.steps.direction import infer_direction
from services.gateway.search.steps.industry import infer_industry
from services.gateway.search.steps.intent import infer_intent
from services.gateway.search.steps.latin import offer_latin_spelling
from services.gateway.search.steps.normalise import normalise
from services.gateway.search.steps.slips import recover_slips
from services.gateway.search.steps.synonyms import synonyms
from services.gateway.search.steps.variants import spelling_variants
from services.gateway.search.steps.weighing import weigh

STEPS: tuple[Step, ...] = (
    normalise,
    spelling_variants,
    recover_slips,
    offer_latin_spelling,
    weigh,
    synonyms,
    find_amounts,
    infer_industry,
    infer_direction,
    infer_intent,
)
LITERAL_STEPS: tuple[Step, ...] = (normalise, weigh, infer_industry)

__all__ = ["LITERAL_STEPS", "STEPS"]

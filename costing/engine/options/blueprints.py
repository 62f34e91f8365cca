"""What each option consists of: where the model runs, whether passages are retrieved, how it is trained. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from costing.engine.results import OPTIONS


@dataclass(frozen=True)
class Blueprint:
    key: str
    hosting: str  # "api" | "managed" (a provider's tuned model) | "gpu"
    retrieval: bool = False
    method: str = ""  # "" untuned | "managed" | "lora" | "qlora" | "full"
    shared: bool = False  # the adapter shares a base model's replicas with other use cases

    @property
    def label(self) -> str:
        return OPTIONS[self.key][0]

    @property
    def approach(self) -> str:
        return OPTIONS[self.key][1]

    @property
    def tuned(self) -> bool:
        return self.method != ""

    @property
    def own_gpus(self) -> bool:
        return self.hosting == "gpu"


BLUEPRINTS: dict[str, Blueprint] = {
    one.key: one
    for one in (
        Blueprint("prompting_api", "api"),
        Blueprint("rag_api", "api", retrieval=True),
        Blueprint("managed_tuning", "managed", method="managed"),
        Blueprint("managed_tuning_rag", "managed", retrieval=True, method="managed"),
        Blueprint("self_hosted_lora", "gpu", method="lora"),
        Blueprint("self_hosted_lora_shared", "gpu", method="lora", shared=True),
        Blueprint("self_hosted_qlora", "gpu", method="qlora"),
        Blueprint("self_hosted_full", "gpu", method="full"),
        Blueprint("self_hosted_lora_rag", "gpu", retrieval=True, method="lora"),
        Blueprint("self_hosted_prompting", "gpu"),
        Blueprint("self_hosted_rag", "gpu", retrieval=True),
    )
}

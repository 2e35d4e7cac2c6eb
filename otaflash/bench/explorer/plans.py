"""What a host and an application may do in one boot. Knows the messages, no board."""

from __future__ import annotations

from otaflash.bench.explorer import images as say
from otaflash.bench.explorer.cases import LETTERS
from otaflash.bench.explorer.images import Image
from otaflash.bench.explorer.machine import App, Plan
from otaflash.sim.profiles import Profile

SILENT = Plan("silent")


def step_name(plan: Plan) -> str:
    """As a history names it: with the letter of its image."""
    return plan.name if plan.image < 0 else f"{plan.name}-{LETTERS[plan.image]}"


def all_plans(profile: Profile, images: list[Image]) -> dict[tuple[str, int], Plan]:
    """By name and number of the image."""
    plans: dict[tuple[str, int], Plan] = {}
    for number, image in enumerate(images):
        every = say.blocks(image, profile, image.pages)
        half = say.blocks(image, profile, image.pages // 2)
        opening = say.offer(image)
        for plan in (
            Plan("update", number, True, opening + every, say.apply()),
            Plan("survey", number, True, opening + say.survey(image, profile) + every, say.apply()),
            Plan("leave", number, True, opening + half + say.abort()),
            Plan("confirm", number, said=say.confirm(image)),
            Plan("revert", number, said=say.revert(image)),
            Plan("app-confirm", number, app=App.CONFIRM),
            Plan("app-told", number, app=App.HOST, app_said=say.confirm(image)),
            Plan("app-revert", number, app=App.HOST, app_said=say.revert(image)),
        ):
            plans[plan.name, number] = plan
    return plans

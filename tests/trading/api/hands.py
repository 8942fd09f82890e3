"""What a person does by hand: how its addresses end."""

# no key signs or waives for a person, deploys in their name, or makes or ends another key
BY_HAND = (
    "/sign", "/tokens", "{prefix}/revoke", "}/deploy", "}/rollback", "}/conclude", "}/review", "/waivers",
    "/waivers/{number}/end",
)  # fmt: skip

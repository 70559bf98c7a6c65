"""Stripe's wire format: routes, parameters, shapes and error words."""

"""What is sold and at what price, and what is taken off: products, prices, coupons, promotion codes, discounts."""

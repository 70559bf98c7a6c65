// What somebody who knows only Stripe's own library for node does. Arguments: the port of the sandbox, and a key.
const http = require("node:http");
const Stripe = require("stripe");

const [port, key] = process.argv.slice(2);
const stripe = new Stripe(key, { host: "127.0.0.1", port: Number(port), protocol: "http", maxNetworkRetries: 0 });
const kept = [];

const hooks = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    kept.push({ body: Buffer.concat(parts), signature: request.headers["stripe-signature"] });
    response.end("ok");
  });
});

async function arrived(wanted, secret) {
  for (let tries = 0; tries < 500; tries += 1) {
    const events = kept.map((one) => stripe.webhooks.constructEvent(one.body, one.signature, secret, 1e9));
    const types = events.map((event) => event.type);
    if (wanted.every((type) => types.includes(type))) return types;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not all of ${wanted} arrived`);
}

async function refused(what) {
  try {
    await what();
  } catch (error) {
    return { type: error.type, code: error.code, param: error.param };
  }
  throw new Error("it was not refused");
}

async function main() {
  await new Promise((resolve) => hooks.listen(0, "127.0.0.1", resolve));
  const endpoint = await stripe.webhookEndpoints.create({
    url: `http://127.0.0.1:${hooks.address().port}/hooks`,
    enabled_events: ["*"],
  });
  const customer = await stripe.customers.create({ email: "ada@example.com", metadata: { user_id: "7" } });
  const card = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: card.id } });
  const product = await stripe.products.create({ name: "Pro" });
  const price = await stripe.prices.create({
    product: product.id,
    currency: "usd",
    unit_amount: 2000,
    recurring: { interval: "month" },
  });
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    expand: ["latest_invoice"],
  });
  const listed = [];
  for await (const one of stripe.prices.list({ limit: 1 })) listed.push(one.id);
  const types = await arrived(["customer.subscription.created", "invoice.paid"], endpoint.secret);
  const forged = await refused(async () =>
    stripe.webhooks.constructEvent(kept[0].body + " ", kept[0].signature, endpoint.secret, 1e9),
  );
  const unknown = await refused(() => stripe.customers.create({ emial: "a@b.c" }));
  const declined = await refused(() =>
    stripe.paymentIntents.create({
      amount: 2000,
      currency: "usd",
      confirm: true,
      payment_method: "pm_card_chargeDeclined",
      automatic_payment_methods: { enabled: true, allow_redirects: "never" },
    }),
  );
  hooks.close();
  hooks.closeAllConnections();
  const invoice = subscription.latest_invoice;
  console.log(
    JSON.stringify({
      version: Stripe.PACKAGE_VERSION,
      email: customer.email,
      status: subscription.status,
      paid: invoice.amount_paid,
      listed: listed.length,
      types,
      forged,
      unknown,
      declined,
    }),
  );
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);

// Reads {library, secret, headers, body} as JSON on stdin. Exits with 0 when the signature is good, 1 when it is not, 2 when this
// program itself is at fault.
import { text } from "node:stream/consumers";
import * as standardwebhooks from "standardwebhooks";
import * as svix from "svix";

const { library, secret, headers, body } = JSON.parse(await text(process.stdin));
const { Webhook, WebhookVerificationError } = { standardwebhooks, svix }[library];
try {
  const event = new Webhook(secret).verify(body, headers) ?? JSON.parse(body); // Svix's returns nothing
  process.stdout.write(JSON.stringify(event));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof WebhookVerificationError ? 1 : 2;
}

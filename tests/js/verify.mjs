// Reads {secret, headers, body} as JSON on stdin. Exits with 0 when the signature is good, 1 when it is not, 2 when this
// program itself is at fault.
import { text } from "node:stream/consumers";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const { secret, headers, body } = JSON.parse(await text(process.stdin));
try {
  const event = new Webhook(secret).verify(body, headers);
  process.stdout.write(JSON.stringify(event));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof WebhookVerificationError ? 1 : 2;
}

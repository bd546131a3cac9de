// `npm run synth:all`, and what jest does first: templates of every variant.

import { synthesise, VARIANT_NAMES } from "./variants";

export default function synthesiseAll(): void {
  for (const variant of VARIANT_NAMES) {
    synthesise(variant);
  }
}

if (require.main === module) {
  synthesiseAll();
}

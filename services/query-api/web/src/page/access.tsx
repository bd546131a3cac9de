// The question for a token. What must always hold: the token is kept in this tab and goes with it.

import { useState } from "preact/hooks";
import { type Access, keepToken } from "../client";

export function AccessCard({ access, onToken }: { access: Access; onToken(): void }) {
  const [token, setToken] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    if (!token.trim()) return;
    keepToken(token.trim());
    onToken();
  };
  return (
    <section class="card access" aria-labelledby="access-heading">
      <h2 id="access-heading">This process asks for a token</h2>
      <p>
        It is one of the lines of the file that the process was started with, <code>--token-file</code>. It stays in
        this tab and goes with it.
      </p>
      <form onSubmit={submit}>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          // biome-ignore lint/a11y/noAutofocus: nothing else can be done here.
          autoFocus
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit" class="primary">
          Show the sites
        </button>
      </form>
      <p class="refusal" role="alert">
        {access === "refused" ? "The process does not know this token." : ""}
      </p>
    </section>
  );
}

/* Talks to the sandbox: control routes and the live socket. */

/** Call a control route of a platform; a refusal becomes an Error with its text. */
export async function ask(platform, method, path, body) {
  const form = body instanceof FormData;
  const response = await fetch(`/sandbox/${platform}${path}`, {
    method,
    headers: body && !form ? { "Content-Type": "application/json" } : {},
    body: form ? body : body && JSON.stringify(body),
  });
  const told = await response.json();
  if (!response.ok) throw new Error(told.error);
  return told;
}

/** Keep a socket open for ever: `changed` gets every event, `opened` is called after each (re)connection. */
export function listen({ changed, opened, lost }) {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/sandbox/live`);
  socket.onopen = opened;
  socket.onmessage = (message) => changed(JSON.parse(message.data));
  socket.onclose = () => {
    lost();
    setTimeout(() => listen({ changed, opened, lost }), 1000);
  };
}

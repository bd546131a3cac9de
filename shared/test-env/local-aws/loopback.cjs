// kinesis-local listens on every interface, and says nothing. Loaded before it, this gives each of its servers a free port
// of the loopback, and announces the one for plain HTTP in the words that the Python servers use.
"use strict";

const net = require("node:net");

// What kinesis-local asks for unless it is told otherwise; its other server is the one for TLS.
const PLAIN_HTTP_PORT = 4568;

const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function (port, ...rest) {
  if (port === PLAIN_HTTP_PORT) {
    this.once("listening", () => console.log(`Running on http://127.0.0.1:${this.address().port}`));
  }
  return listen.call(this, 0, "127.0.0.1", ...rest);
};

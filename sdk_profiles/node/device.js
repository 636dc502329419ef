'use strict';
// A device on the Azure IoT device SDK for Node.js, driven by JSON lines: commands on stdin, all that an application can see on stdout.
//
// It adds nothing, retries nothing, swallows nothing. The SDK's traces (`azure-iot*` of the module `debug`) go to stderr: those of its
// namespaces `:Errors` as ERROR, the others as DEBUG. Node.js ends a process that leaves an exception uncaught or a rejection
// unhandled. This one goes on, so that the rest can be seen, and reports it: a `background_exception` whose callback is
// `uncaughtException` or `unhandledRejection` would have ended an application without a handler of its own.

const fs = require('fs');
const http = require('http');
const https = require('https');
const readline = require('readline');
const tls = require('tls');
const util = require('util');
const { createRequire } = require('module');

// Standard output belongs to the protocol: what anybody else prints goes to standard error. Descriptor 1 is written by `emit` alone.
Object.defineProperty(process, 'stdout', { get: () => process.stderr });

const sdk = require('azure-iot-device');
const TRANSPORTS = {
  'mqtt': () => require('azure-iot-device-mqtt').Mqtt,
  'mqtt-ws': () => require('azure-iot-device-mqtt').MqttWs,
  'amqp': () => require('azure-iot-device-amqp').Amqp,
  'amqp-ws': () => require('azure-iot-device-amqp').AmqpWs,
  'https': () => require('azure-iot-device-http').Http,
};
const CAPABILITIES = ['lifetime', 'margin', 'own-token', 'token-update', 'x509', 'proxy', 'twin'];
const SETTLE_MS = 5000; // at `close`, for calls under way
const CLOSE_MS = 10000; // the SDK's close has no time limit of its own
const LONGEST_CHAIN = 16;

/** Write one event. */
function emit(event, fields = {}) {
  fs.writeSync(1, JSON.stringify({ event, t: Date.now() / 1000, ...fields }) + '\n');
}

/** Write an error and its causes as the protocol does: outermost first, native class names, first line of the message. */
function chain(error) {
  const links = [];
  for (let at = error; at && links.length < LONGEST_CHAIN; at = at.cause || at.transportError || at.amqpError || at.innerError) {
    const text = at instanceof Error ? at.message : at.description || at.condition || util.inspect(at, { depth: 0 });
    links.push({ class: at.constructor ? at.constructor.name : typeof at, message: String(text).split('\n', 1)[0] });
  }
  return links;
}

/** An agent that reaches its target through an HTTP proxy (CONNECT), as applications hand one to the SDK for WebSockets and HTTPS. */
class ProxyAgent extends https.Agent {
  constructor(proxy) {
    super();
    this.proxy = proxy;
  }

  createConnection(options, connected) {
    const request = http.request({ ...this.proxy, method: 'CONNECT', path: `${options.host}:${options.port}`, agent: false });
    request.on('connect', (response, socket) => {
      if (response.statusCode === 200) connected(null, tls.connect({ ...options, socket }));
      else connected(new Error(`the proxy answered ${response.statusCode}`));
    });
    request.on('error', connected);
    request.end();
  }
}

/** Where the connection string leads: the SDK's own factories read GatewayHostName only beside a key. */
function endpoint(text) {
  const parts = Object.fromEntries(text.split(';').map((part) => [part.split('=', 1)[0], part.slice(part.indexOf('=') + 1)]));
  return {
    host: parts.HostName,
    deviceId: parts.DeviceId,
    gatewayHostName: parts.GatewayHostName,
    sharedAccessSignature: parts.SharedAccessSignature,
  };
}

/** Make a client and its options as `open` asks; what is used of its settings is noted in `used`. */
function makeClient(command, used) {
  if (!(command.transport in TRANSPORTS)) throw new RangeError(`unknown transport ${command.transport}`);
  const options = {};
  const lifetime = command.lifetime_s ?? undefined;
  const margin = command.margin_s ?? undefined;
  let provider;
  if (command.cert_pem || command.connection_string.includes('x509=true')) {
    provider = new sdk.X509AuthenticationProvider(endpoint(command.connection_string));
    if (command.cert_pem) Object.assign(options, { cert: command.cert_pem, key: command.key_pem });
  } else if (command.connection_string.includes('SharedAccessSignature=')) {
    provider = new sdk.SharedAccessSignatureAuthenticationProvider(endpoint(command.connection_string));
  } else if (lifetime !== undefined && margin !== undefined) {
    options.tokenRenewal = { tokenValidTimeInSeconds: lifetime, tokenRenewalMarginInSeconds: margin };
    Object.assign(used, { lifetime_s: lifetime, margin_s: margin });
  } else if (lifetime !== undefined || margin !== undefined) {
    // `tokenRenewal` takes both or nothing; here the SDK's own default stands for the other one.
    provider = sdk.SharedAccessKeyAuthenticationProvider.fromConnectionString(command.connection_string, lifetime, margin);
    Object.assign(used, { lifetime_s: lifetime, margin_s: margin });
  }
  if (command.ca_pem) options.ca = command.ca_pem;
  if (command.proxy && command.transport.endsWith('-ws')) {
    options[command.transport.slice(0, 4)] = { webSocketAgent: new ProxyAgent(command.proxy) };
    used.proxy = command.proxy;
  } else if (command.proxy && command.transport === 'https') {
    options.http = { agent: new ProxyAgent(command.proxy) };
    used.proxy = command.proxy;
  }
  const Transport = TRANSPORTS[command.transport]();
  const client = provider
    ? sdk.Client.fromAuthenticationProvider(provider, Transport)
    : sdk.Client.fromConnectionString(command.connection_string, Transport);
  return { client, options };
}

/** The client of one `open`, with every handler that an application can set. */
class Device {
  constructor(command) {
    this.command = command;
    this.settings = { transport: command.transport };
    const { client, options } = makeClient(command, this.settings);
    this.client = client;
    this.calls = new Set();
    client.on('connect', () => emit('status', { status: 'connect' }));
    client.on('disconnect', (result) => emit('status', { status: 'disconnect', error: chain(result && result.transportObj) }));
    client.on('error', (error) => emit('background_exception', { error: chain(error), callback: 'error' }));
    this.configured = Object.keys(options).length ? client.setOptions(options) : Promise.resolve();
    // Over HTTP `setOptions` takes effect at once and never says that it is done, so that who awaits it waits for ever (1.18.4).
    if (command.transport === 'https') this.configured = Promise.race([this.configured, new Promise(setImmediate)]);
    this.configured.catch(() => {}); // whoever awaits it, reports it
  }

  /** Make a call of the SDK without waiting for it; what it throws or rejects with becomes the event `failed`. */
  call(failed, fields, action) {
    const pending = this.configured
      .then(action)
      .catch((error) => emit(failed, { error: chain(error), ...fields }))
      .finally(() => this.calls.delete(pending));
    this.calls.add(pending);
    return pending;
  }

  /** Connect, then listen to what was asked for. The SDK does not say when it listens, only when it fails to: as `error`. */
  async open() {
    await this.client.open();
    const { c2d, methods, method_names: names = [], twin } = this.command;
    if (c2d) this.client.on('message', (message) => this.onMessage(message));
    if (methods) names.forEach((name) => this.client.onDeviceMethod(name, (request, response) => this.onMethod(request, response)));
    if (twin) await this.listenToTwin();
    Object.entries({ c2d, methods, method_names: methods && names, twin }).forEach(([name, used]) => used && (this.settings[name] = used));
    emit('opened', { settings: this.settings });
  }

  async listenToTwin() {
    const twin = await this.client.getTwin();
    twin.on('error', (error) => emit('background_exception', { error: chain(error), callback: 'twin error' }));
    twin.on('properties.desired', (patch) => emit('twin', { version: patch.$version ?? null }));
  }

  onMessage(message) {
    const message_id = message.messageId || null;
    emit('c2d', { message_id, size: message.data ? message.data.length : 0 });
    this.call('c2d_failed', { message_id }, () => this.client.complete(message));
  }

  onMethod(request, response) {
    const fields = { name: request.methodName, request_id: request.requestId };
    emit('method', fields);
    this.call('method_failed', fields, () => response.send(200, {}));
  }

  async send(id, properties) {
    const message = new sdk.Message(JSON.stringify({ id }));
    message.messageId = String(id);
    Object.entries(properties || {}).forEach(([name, value]) => message.properties.add(name, value));
    await this.client.sendEvent(message);
    emit('sent', { id });
  }

  async useToken(token) {
    await util.promisify((done) => this.client.updateSharedAccessSignature(token, done))();
    emit('token_updated');
  }

  /** Settle, close, report how that went. */
  async close() {
    await within(SETTLE_MS, Promise.all(this.calls));
    const closing = this.call('close_failed', {}, async () => {
      await this.client.close();
      emit('closed');
    });
    if (!(await within(CLOSE_MS, closing))) {
      emit('close_failed', { error: [{ class: 'Error', message: `close() did not return within ${CLOSE_MS / 1000} s` }] });
    }
  }
}

/** Whether `promise` is settled within so many milliseconds. */
function within(ms, promise) {
  return Promise.race([promise.then(() => true), new Promise((resolve) => setTimeout(resolve, ms, false))]);
}

/** Let the SDK's traces through to stderr, one line each. */
function trace() {
  const debug = createRequire(require.resolve('azure-iot-device'))('debug');
  debug.inspectOpts.hideDate = true;
  debug.log = function log(...texts) {
    const level = this.namespace.endsWith(':Errors') ? 'ERROR' : 'DEBUG';
    process.stderr.write(`${level} ${util.format(...texts).replace(/\s*\n\s*/g, ' ')}\n`);
  };
  debug.enable('azure-iot*');
}

/** Make the device and let it connect; an exception while building it is `open_failed` at once. */
function start(command) {
  try {
    const device = new Device(command);
    device.call('open_failed', {}, () => device.open());
    return device;
  } catch (error) {
    emit('open_failed', { error: chain(error) });
    return null;
  }
}

/** The value of a field that a command cannot do without. */
function field(command, name, type) {
  if (typeof command[name] !== type) throw new TypeError(`${name} is missing or no ${type}`);
  return command[name];
}

/** Carry out commands until `close` or the end of stdin. */
async function serve() {
  let device = null;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let cmd = null;
    try {
      const command = JSON.parse(line);
      cmd = field(command, 'cmd', 'string');
      if (cmd === 'close') break;
      else if (cmd === 'open' && !device) device = start(command);
      else if (cmd === 'send' && device) {
        const id = field(command, 'id', 'number');
        device.call('send_failed', { id }, () => device.send(id, command.properties));
      } else if (cmd === 'token' && device) {
        const sas = field(command, 'sas', 'string');
        device.call('token_failed', {}, () => device.useToken(sas));
      } else emit('bad_command', { cmd });
    } catch (error) {
      emit('bad_command', { cmd, error: chain(error) });
    }
  }
  if (device) await device.close();
}

/** Report what belongs to no call, and would have ended the process. */
function survive(callback) {
  process.on(callback, (error) => {
    process.stderr.write(`${callback}: ${util.inspect(error)}\n`);
    emit('background_exception', { error: chain(error), callback });
  });
}

function main() {
  ['uncaughtException', 'unhandledRejection'].forEach(survive);
  trace();
  emit('hello', {
    protocol: 1,
    sdk: 'node',
    sdk_version: require('azure-iot-device/package.json').version,
    runtime: `Node.js ${process.versions.node}`,
    transports: Object.keys(TRANSPORTS),
    capabilities: CAPABILITIES,
  });
  serve().then(
    () => process.exit(0),
    (error) => {
      process.stderr.write(`${util.inspect(error)}\n`);
      process.exit(1);
    },
  );
}

main();

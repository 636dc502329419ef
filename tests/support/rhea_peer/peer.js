// rhea as a peer of the harness's AMQP engine. Commands come as JSON lines on stdin, events leave as JSON lines on stdout.
//
//   node peer.js '{"rhea": "rhea" | "rhea-1", "role": "client" | "server", ...}'
//
// The options besides these are rhea's own, of `connect` or `listen`. Commands: {"do": NAME, ...}, see `commands`; links go by
// their names. Events: {"event": NAME, "link": NAME, ...}.
'use strict';

const readline = require('readline');

const options = JSON.parse(process.argv[2]);
const container = require(options.rhea).create_container({ id: 'rhea' });
const { types, message } = require(options.rhea);
const frames = require(options.rhea + '/lib/frames.js');
const links = {};
const deliveries = {};
const sent = {};
let connection;

const uuid = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const list = (...items) => types.wrap_list(items);

// Messages by name; the tests hold what arrives against the same list in Python.
const messages = {
  'string id': () => ({ message_id: 'm-1', correlation_id: 'c-1', body: 'text \u00e9' }),
  'ulong id': () => ({ message_id: 7, correlation_id: 0, body: null }),
  'uuid id': () => ({ message_id: uuid, body: true }),
  'binary id': () => ({ message_id: types.wrap_binary(Buffer.from('id')), body: message.data_section(Buffer.from('data')) }),
  properties: () => ({
    user_id: Buffer.from('u'), to: 'to', subject: 's', reply_to: 'r', content_type: 'a/b', content_encoding: 'utf-8',
    absolute_expiry_time: 2000, creation_time: 1000, group_id: 'g', group_sequence: 3, reply_to_group_id: 'rg',
    durable: true, priority: 9, ttl: 5000, first_acquirer: true, delivery_count: 2,
    application_properties: { text: 'v', int: types.wrap_int(-200), flag: false, when: types.wrap_timestamp(5), none: null },
    message_annotations: { 'x-opt-a': types.wrap_symbol('sym'), 'x-opt-b': types.wrap_ulong(9) },
    delivery_annotations: { 'x-d': types.wrap_byte(-1) },
    body: message.data_sections([Buffer.from('one'), Buffer.from('two')]),
  }),
  scalars: () => ({
    body: list(
      types.wrap_ubyte(200), types.wrap_ushort(60000), types.wrap_uint(0), types.wrap_uint(7), types.wrap_uint(70000),
      types.wrap_ulong(0), types.wrap_ulong(7), types.wrap_ulong(2 ** 40), types.wrap_byte(-7), types.wrap_short(-700),
      types.wrap_int(-7), types.wrap_int(-70000), types.wrap_long(-7), types.wrap_long(-(2 ** 40)), types.wrap_float(0.5),
      types.wrap_double(0.1), types.wrap_timestamp(1), types.wrap_uuid(uuid), types.wrap_symbol('s'), null, false),
  }),
  nested: () => ({ body: list(list(list('deep')), types.wrap_map({ k: list(types.wrap_int(1), types.wrap_map({})) }), list()) }),
  map: () => ({ body: types.wrap_map({ a: types.wrap_int(1), b: 'two', c: Buffer.from([3]) }) }),
  arrays: () => ({
    body: list(types.wrap_array([1, 2, 3], 0x70), types.wrap_array(['a', 'b'], 0xa3), types.wrap_array(['c'], 0xb1)),
  }),
  described: () => ({ body: list(types.wrap_described('value', 'my:symbol')) }),
  sequence: () => ({ body: message.sequence_section([types.wrap_int(1), 'two', null]) }),
  large: () => ({ body: message.data_section(Buffer.alloc(20000, 'large')) }),
};

// A value as JSON: binary as {"binary": HEX}, sections as {"section": CODE, "content": ...}.
function shown(value) {
  if (value === undefined || value === null) return null;
  if (Buffer.isBuffer(value)) return { binary: value.toString('hex') };
  if (value instanceof Date) return value.getTime();
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object') return value;
  if (value.collect_sections) return { section: value.typecode, content: shown(value.content) };
  if (value.descriptor) return { descriptor: value.descriptor.value, value: shown(value.value) };
  return Object.fromEntries(Object.entries(value).filter(([, item]) => typeof item !== 'function').map(([key, item]) => [key, shown(item)]));
}

function problem(error) {
  return error ? { condition: String(error.condition || error.name), description: error.description || String(error.message || '') } : null;
}

function tell(event, context) {
  const link = context.receiver || context.sender;
  const told = { event, link: link ? link.name : null };
  if (link && link.remote.detach) Object.assign(told, { closed: link.remote.detach.closed === true, error: problem(link.error) });
  if (event === 'message') {
    Object.assign(told, { message: shown(context.message), settled: context.delivery.remote_settled === true, tag: context.delivery.tag.toString('hex') });
    (deliveries[link.name] = deliveries[link.name] || []).push(context.delivery);
  } else if (context.delivery) {
    const state = context.delivery.remote_state;
    Object.assign(told, { tag: context.delivery.tag.toString('hex'), settled: context.delivery.remote_settled === true, error: problem(state && state.error) });
  }
  if (event === 'connection_error' || event === 'protocol_error') told.error = problem(context.connection ? context.connection.error : context);
  process.stdout.write(JSON.stringify(told) + '\n');
}

const commands = {
  sender: ({ options }) => { links[options.name] = connection.open_sender(options); },
  receiver: ({ options }) => { links[options.name] = connection.open_receiver(options); },
  send: ({ link, name }) => { sent[link] = links[link].send(messages[name]()); },
  settle_sent: ({ link }) => { sent[link].update(true); },
  credit: ({ link, credit }) => { links[link].add_credit(credit); },
  drain: ({ link, credit }) => { links[link].drain = true; links[link].add_credit(credit); },
  give_back: ({ link }) => { links[link].set_drained(true); connection._register(); },
  echo: ({ link }) => {
    const { session, local, delivery_count, credit } = links[link];
    const { incoming, outgoing } = session;
    session.output(frames.flow({
      next_incoming_id: incoming.next_transfer_id, incoming_window: incoming.window, next_outgoing_id: outgoing.next_transfer_id,
      outgoing_window: outgoing.window, handle: local.handle, delivery_count, link_credit: credit, echo: true,
    }));
    connection._register();
  },
  settle: ({ link, outcome, argument }) => { deliveries[link].shift()[outcome](argument); },
  detach: ({ link }) => { links[link].detach(); },
  close_link: ({ link, error }) => { links[link].close(error); },
  close: ({ error }) => { connection.close(error); },
};

for (const event of [
  'connection_open', 'session_open', 'sender_open', 'receiver_open', 'message', 'accepted', 'rejected', 'released', 'modified', 'settled',
  'sender_flow', 'receiver_flow', 'sender_draining', 'receiver_drained', 'sender_close', 'receiver_close', 'session_close', 'connection_close',
  'connection_error', 'session_error', 'sender_error', 'receiver_error', 'protocol_error', 'disconnected',
]) {
  container.on(event, (context) => {
    if (context.connection) connection = context.connection;
    const link = context.receiver || context.sender;
    if (link) links[link.name] = link;
    tell(event, context);
  });
}

if (options.role === 'client') {
  connection = container.connect({ host: '127.0.0.1', reconnect: false, ...options });
} else {
  container.sasl_server_mechanisms.enable_anonymous();
  container.sasl_server_mechanisms.enable_plain((user, password) => password === 'secret');
  const server = container.listen({ host: '127.0.0.1', port: 0, ...options });
  server.on('listening', () => process.stdout.write(JSON.stringify({ event: 'listening', port: server.address().port }) + '\n'));
}

const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => { const command = JSON.parse(line); commands[command.do](command); });
lines.on('close', () => process.exit(0));

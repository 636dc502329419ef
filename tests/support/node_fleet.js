'use strict';
// Many devices of the SDK for Node.js in one process, over AMQP: one JSON document on stdin says which, one on stdout what became of them.
//
// {transport, ca, lifetime_s, margin_s, seconds, send_ms, connection_strings} -> {sent, c2d, events: [names of what an application dreads]}

const { createRequire } = require('module');
const installed = createRequire(`${process.cwd()}/`); // this program lies elsewhere
const { Client, Message } = installed('azure-iot-device');
const { Amqp, AmqpWs } = installed('azure-iot-device-amqp');

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function live(job, connectionString, result) {
  const client = Client.fromConnectionString(connectionString, job.transport === 'amqp' ? Amqp : AmqpWs);
  const dread = (name) => (error) => result.events.push(`${name}: ${error && error.message}`);
  client.on('disconnect', dread('disconnect'));
  client.on('error', dread('error'));
  const tokenRenewal = { tokenValidTimeInSeconds: job.lifetime_s, tokenRenewalMarginInSeconds: job.margin_s };
  await client.setOptions({ ca: job.ca, tokenRenewal });
  await client.open();
  client.on('message', (message) => {
    result.c2d += 1;
    client.complete(message).catch(dread('complete'));
  });
  const ends = Date.now() + 1000 * job.seconds;
  while (Date.now() < ends) {
    await client.sendEvent(new Message('{}')).then(() => { result.sent += 1; }, dread('send'));
    await pause(job.send_ms);
  }
  client.removeAllListeners('disconnect');
  await client.close();
}

async function main() {
  let text = '';
  for await (const part of process.stdin) text += part;
  const job = JSON.parse(text);
  const result = { sent: 0, c2d: 0, events: [] };
  await Promise.all(job.connection_strings.map(async (one, index) => {
    await pause(20 * index);
    await live(job, one, result).catch((error) => result.events.push(`open: ${error.message}`));
  }));
  process.stdout.write(JSON.stringify(result));
}

main().then(() => process.exit(0));

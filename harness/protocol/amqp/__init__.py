"""AMQP 1.0 (OASIS standard of 29 October 2012), both roles, without I/O.

types         the values of AMQP as Python objects               part 1, section 1.6
encoding      value -> bytes                                     part 1, section 1.6
decoding      bytes -> value, strictly                           part 1, section 1.6
schema        composite types from declarations                  part 1, section 1.4
performatives the declarations: frames, termini, states, errors  part 2, 2.7; part 3, 3.4 and 3.5; part 5
messages      sections of a message; batches                     part 3, section 3.2
conditions    error conditions                                   part 2, section 2.8.15
frames        stream of bytes -> frames                          part 2, section 2.3
state         what may arrive in which state                     part 2, sections 2.4 to 2.6
events        what the machines tell their owner
connection    one network connection, frames and time limits     part 2, section 2.4
server        its server role: headers and SASL                  part 2, 2.2; part 5
client        its client role
session       windows and settlement                             part 2, section 2.5
link          attach and detach                                  part 2, section 2.6
sender        links on which we send: credit, deliveries         part 2, section 2.6
receiver      links on which we receive                          part 2, section 2.6
numbers       handles, channels, and counters that wrap

Not spoken: transactions, resumed deliveries, dynamic nodes, the TLS header. Frames that ask for them are decoded, so that
the owner can refuse them.
"""

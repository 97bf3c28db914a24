// Kafka's consumer group requests in our own words: kafkajs's broker cannot join as a static member (group.instance.id), by which a
// process that was killed takes its own place again at once. JoinGroup 5, SyncGroup 3, Heartbeat 3, LeaveGroup 3: Kafka 2.3.
import { KafkaProtocolError } from './kafka-errors.js';
import type { WireRequest } from './requests.js';
import { WireWriter, type WireReader } from './wire.js';

/** Not `consumer`: nobody else's client can join by mistake, nor does a tool look for offsets. */
const protocolType = 'writethrough';
const protocolName = 'leader';

export interface GroupIdentity {
  readonly groupId: string;
  /** '' before the first join. */
  readonly memberId: string;
  readonly instanceId: string;
}

export interface JoinedGroup {
  readonly generation: number;
  readonly memberId: string;
  /** Who assigns; it alone hears of the members. */
  readonly assigner: string;
  readonly members: readonly GroupMember[];
}

export interface GroupMember {
  readonly memberId: string;
  readonly metadata: Buffer;
}

export function joinGroupRequest(
  { groupId, memberId, instanceId }: GroupIdentity,
  timeouts: { readonly sessionMs: number; readonly rebalanceMs: number },
  metadata: Buffer,
): WireRequest<JoinedGroup> {
  const writer = new WireWriter();
  writer.string(groupId).int32(timeouts.sessionMs).int32(timeouts.rebalanceMs).string(memberId).string(instanceId);
  writer.string(protocolType).int32(1).string(protocolName).int32(metadata.length).bytes(metadata);
  return {
    apiKey: 11,
    apiVersion: 5,
    apiName: 'JoinGroup',
    body: writer.written(),
    // Answered when the members of before have joined again or are given up, and at first when the broker has waited for more.
    waitMs: timeouts.rebalanceMs + timeouts.sessionMs,
    decode(reader) {
      const throttleMs = reader.int32();
      const errorCode = reader.int16();
      const generation = reader.int32();
      nullableString(reader); // protocol
      const assigner = nullableString(reader) ?? '';
      const joinedAs = nullableString(reader) ?? '';
      const members: GroupMember[] = [];
      for (let left = reader.int32(); left > 0; left--) {
        const id = reader.string();
        nullableString(reader); // instance
        members.push({ memberId: id, metadata: bytes(reader) });
      }
      check(errorCode, groupId);
      return { value: { generation, memberId: joinedAs, assigner, members }, throttleMs };
    },
  };
}

export function syncGroupRequest(
  { groupId, memberId, instanceId }: GroupIdentity,
  generation: number,
  assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[],
): WireRequest<Buffer> {
  const writer = new WireWriter();
  writer.string(groupId).int32(generation).string(memberId).string(instanceId).int32(assignments.length);
  for (const { memberId: to, assignment } of assignments) writer.string(to).int32(assignment.length).bytes(assignment);
  return {
    apiKey: 14,
    apiVersion: 3,
    apiName: 'SyncGroup',
    body: writer.written(),
    decode(reader) {
      const throttleMs = reader.int32();
      check(reader.int16(), groupId);
      return { value: bytes(reader), throttleMs };
    },
  };
}

export function heartbeatRequest(
  { groupId, memberId, instanceId }: GroupIdentity,
  generation: number,
): WireRequest<void> {
  const writer = new WireWriter();
  writer.string(groupId).int32(generation).string(memberId).string(instanceId);
  return {
    apiKey: 12,
    apiVersion: 3,
    apiName: 'Heartbeat',
    body: writer.written(),
    decode(reader) {
      const throttleMs = reader.int32();
      check(reader.int16(), groupId);
      return { value: undefined, throttleMs };
    },
  };
}

export function leaveGroupRequest({ groupId, memberId, instanceId }: GroupIdentity): WireRequest<void> {
  const writer = new WireWriter();
  writer.string(groupId).int32(1).string(memberId).string(instanceId);
  return {
    apiKey: 13,
    apiVersion: 3,
    apiName: 'LeaveGroup',
    body: writer.written(),
    decode(reader) {
      const throttleMs = reader.int32();
      check(reader.int16(), groupId);
      return { value: undefined, throttleMs };
    },
  };
}

function check(errorCode: number, groupId: string): void {
  if (errorCode !== 0) throw new KafkaProtocolError(errorCode, `group "${groupId}"`);
}

function nullableString(reader: WireReader): string | null {
  const length = reader.int16();
  return length < 0 ? null : reader.view(length).toString('utf8');
}

function bytes(reader: WireReader): Buffer {
  const length = reader.int32();
  return Buffer.from(reader.view(Math.max(0, length)));
}

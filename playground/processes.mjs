// Looks at processes through /proc.

import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** `read()`, or undefined when the process went away meanwhile or is not ours to look at. */
function attempt(read) {
    try {
        return read();
    } catch {
        return undefined;
    }
}

export function allPids() {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
}

/** { pid, parent, state, name, command } or undefined. */
export function processInfo(pid) {
    const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (stat === undefined) return undefined;
    const end = stat.lastIndexOf(')');
    const [state, parent] = stat.slice(end + 2).split(' ');
    const command = (attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').split('\0').slice(0, -1);
    return { pid, parent: Number(parent), state, name: stat.slice(stat.indexOf('(') + 1, end), command };
}

export const isAlive = (pid) => !['Z', 'X', undefined].includes(processInfo(pid)?.state);
export const pidNamespace = (pid) => attempt(() => readlinkSync(`/proc/${pid}/ns/pid`));
export const environmentOf = (pid) => attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')) ?? [];

/** All processes for which `predicate(info)` holds. */
export function findProcesses(predicate) {
    return allPids().map(processInfo).filter((info) => info && predicate(info));
}

export const childrenOf = (pid) => findProcesses(({ parent }) => parent === pid);

/** Resident memory in KiB, as VmRSS says. */
export function residentKib(pid) {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

/** The most that ever was resident, pages of mapped files included; undefined when the process is gone. */
export function peakResidentKib(pid) {
    const peak = /VmHWM:\s+(\d+) kB/.exec(attempt(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '')?.[1];
    return peak && Number(peak);
}

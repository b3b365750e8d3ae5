// SPDX-License-Identifier: Apache-2.0
// Why something is missing, in words.

export const CAUSES = {
    silent: ['Silent', 'The exchange answered without this market.'],
    unreachable: ['Unreachable', 'No answer, or one that was not understood.'],
    blocked: ['Blocked', 'The exchange refuses our address or region.'],
    rate_limited: ['Rate limited', 'We were told to slow down, or our budget was used up.'],
    collector_down: ['Not collected', 'Nobody asked: the collector was not running.'],
    not_listed: ['Not listed yet', 'The market did not exist then.'],
    delisted: ['Delisted', 'The market no longer existed.'],
};

export const causeName = (cause) => CAUSES[cause]?.[0] ?? cause ?? '–';
export const causeText = (cause) => CAUSES[cause]?.[1] ?? '';

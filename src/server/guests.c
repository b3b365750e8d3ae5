/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of a few places, chosen by a hash that a stranger cannot foresee; the oldest of a set goes.
 */
#include "server/guests.h"

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/random.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

#define SETS 1024
#define WAYS 8
#define ADDRESS_SIZE 8

struct guest {
    uint8_t address[ADDRESS_SIZE];
    bool is_used;
    int64_t seen_ns;
    struct oi_rate_state rates[OI_PLAN_RATES_MAX];
};

struct oi_guests {
    pthread_mutex_t lock;
    uint8_t secret[16];
    struct guest (*sets)[WAYS];
};

struct oi_guests *
oi_guests_new(void)
{
    struct oi_guests *guests = oi_alloc_zero(1, sizeof(*guests));

    pthread_mutex_init(&guests->lock, NULL);
    oi_random_secret(guests->secret, sizeof(guests->secret));
    guests->sets = oi_alloc_zero(SETS, sizeof(*guests->sets));
    return guests;
}

void
oi_guests_free(struct oi_guests **guests)
{
    if (!guests || !*guests)
        return;
    pthread_mutex_destroy(&(*guests)->lock);
    oi_free((*guests)->sets);
    oi_free(*guests);
    *guests = NULL;
}

/* What counts of an address: an IPv4 one whole, of an IPv6 one the network. */
static void
shorten(struct oi_slice peer, uint8_t address[ADDRESS_SIZE])
{
    uint8_t bytes[16] = {};
    char text[INET6_ADDRSTRLEN] = {};

    memset(address, 0, ADDRESS_SIZE);
    if (peer.size >= sizeof(text))
        return;
    memcpy(text, peer.data, peer.size);
    if (inet_pton(AF_INET, text, bytes) == 1) {
        memcpy(address, bytes, 4);
        address[4] = 1;
    } else if (inet_pton(AF_INET6, text, bytes) == 1) {
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

        if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
            memcpy(address, bytes + 12, 4);
            address[4] = 1;
        } else {
            memcpy(address, bytes, ADDRESS_SIZE);
        }
    }
}

static struct guest *
find(struct oi_guests *guests, struct oi_slice peer, int64_t now_ns)
{
    uint8_t bytes[sizeof(guests->secret) + ADDRESS_SIZE], digest[OI_SHA256_SIZE];
    uint8_t *address = bytes + sizeof(guests->secret);
    struct guest *set, *oldest;

    memcpy(bytes, guests->secret, sizeof(guests->secret));
    shorten(peer, address);
    oi_sha256((struct oi_slice){ (const char *) bytes, sizeof(bytes) }, digest);
    set = oldest = guests->sets[(digest[0] | (unsigned) digest[1] << 8) % SETS];
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].is_used && memcmp(set[i].address, address, ADDRESS_SIZE) == 0) {
            set[i].seen_ns = now_ns;
            return &set[i];
        }
        if (oldest->is_used && (!set[i].is_used || set[i].seen_ns < oldest->seen_ns))
            oldest = &set[i];
    }
    *oldest = (struct guest){ .is_used = true, .seen_ns = now_ns };
    memcpy(oldest->address, address, ADDRESS_SIZE);
    return oldest;
}

int64_t
oi_plan_wait(const struct oi_plan *plan, const struct oi_rate_state *states, uint64_t cost,
             int64_t now_ns)
{
    int64_t longest = 0;

    for (unsigned i = 0; i < plan->rate_count; i++) {
        int64_t wait = oi_rate_wait(&plan->rates[i], &states[i], cost, now_ns);

        longest = wait > longest ? wait : longest;
    }
    return longest;
}

void
oi_plan_take(const struct oi_plan *plan, struct oi_rate_state *states, uint64_t cost,
             int64_t now_ns)
{
    for (unsigned i = 0; i < plan->rate_count; i++)
        oi_rate_take(&plan->rates[i], &states[i], cost, now_ns);
}

int64_t
oi_guests_admit(struct oi_guests *guests, const struct oi_plan *plan, struct oi_slice peer,
                int64_t now_ns, struct oi_rate_left *ret_left)
{
    struct guest *guest;
    int64_t wait;

    *ret_left = (struct oi_rate_left){};
    pthread_mutex_lock(&guests->lock);
    guest = find(guests, peer, now_ns);
    wait = oi_plan_wait(plan, guest->rates, 1, now_ns);
    if (wait == 0)
        oi_plan_take(plan, guest->rates, 1, now_ns);
    if (plan->rate_count > 0)
        *ret_left = oi_rate_left(&plan->rates[0], &guest->rates[0], now_ns);
    pthread_mutex_unlock(&guests->lock);
    return wait;
}

int64_t
oi_guests_take(struct oi_guests *guests, const struct oi_plan *plan, struct oi_slice peer,
               uint64_t cost, int64_t now_ns)
{
    struct guest *guest;
    int64_t wait;

    pthread_mutex_lock(&guests->lock);
    guest = find(guests, peer, now_ns);
    wait = oi_plan_wait(plan, guest->rates, cost, now_ns);
    if (wait == 0)
        oi_plan_take(plan, guest->rates, cost, now_ns);
    pthread_mutex_unlock(&guests->lock);
    return wait;
}

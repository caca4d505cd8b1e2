-- What each role of the cast means: one statement per role, which returns one row with one boolean, `holds`.
-- %(user)s is the id of the cast's member, %(until)s the end of the dataset's window.

-- role: whale
-- active, at least ten purchases, over 100 USD in all, and nobody else has spent as much
SELECT u.status = 'active'
   AND u.lifetime_spend_usd_cents > 10000
   AND (SELECT count(*) FROM transactions t
        WHERE t.user_id = u.id AND t.type = 'iap_purchase' AND t.status = 'completed') >= 10
   AND NOT EXISTS (SELECT FROM users o
                   WHERE o.id <> u.id AND o.lifetime_spend_usd_cents >= u.lifetime_spend_usd_cents) AS holds
FROM users u WHERE u.id = %(user)s;

-- role: free_player
-- active, has played on at least five days, and has never so much as tried to pay real money
SELECT u.status = 'active'
   AND u.lifetime_spend_usd_cents = 0
   AND (SELECT count(DISTINCT (e.occurred_at AT TIME ZONE 'UTC')::date) FROM auth_events e
        WHERE e.user_id = u.id AND e.event_type = 'login_success' AND e.attack_id IS NULL) >= 5
   AND NOT EXISTS (SELECT FROM transactions t
                   WHERE t.user_id = u.id AND t.amount_usd_cents IS NOT NULL) AS holds
FROM users u WHERE u.id = %(user)s;

-- role: newcomer
-- active, signed up within the window's last day, has logged in since, and has not tried to pay real money
SELECT u.status = 'active'
   AND u.created_at > %(until)s - interval '1 day'
   AND EXISTS (SELECT FROM auth_events e
               WHERE e.user_id = u.id AND e.event_type = 'login_success' AND e.attack_id IS NULL)
   AND u.lifetime_spend_usd_cents = 0
   AND NOT EXISTS (SELECT FROM transactions t
                   WHERE t.user_id = u.id AND t.amount_usd_cents IS NOT NULL) AS holds
FROM users u WHERE u.id = %(user)s;

-- role: churned
-- active by its status, has logged in more than once, and nothing has come from it for at least 30 days
SELECT u.status = 'active'
   AND u.last_login_at < %(until)s - interval '30 days'
   AND (SELECT count(*) FROM auth_events e
        WHERE e.user_id = u.id AND e.event_type = 'login_success' AND e.attack_id IS NULL) >= 2
   AND NOT EXISTS (SELECT FROM auth_events e
                   WHERE e.user_id = u.id AND e.occurred_at >= %(until)s - interval '30 days')
   AND NOT EXISTS (SELECT FROM transactions t
                   WHERE t.user_id = u.id AND t.created_at >= %(until)s - interval '30 days') AS holds
FROM users u WHERE u.id = %(user)s;

-- role: one_time_buyer
-- active, one purchase for real money went through, it was kept, and it is the whole lifetime spend
SELECT u.status = 'active'
   AND count(*) FILTER (WHERE t.type = 'iap_purchase' AND t.completed_at IS NOT NULL) = 1
   AND count(*) FILTER (WHERE t.type = 'iap_purchase' AND t.status = 'completed') = 1
   AND count(*) FILTER (WHERE t.type IN ('refund', 'chargeback')) = 0
   AND u.lifetime_spend_usd_cents > 0
   AND u.lifetime_spend_usd_cents =
       sum(t.amount_usd_cents) FILTER (WHERE t.type = 'iap_purchase' AND t.status = 'completed') AS holds
FROM users u LEFT JOIN transactions t ON t.user_id = u.id
WHERE u.id = %(user)s GROUP BY u.id;

-- role: banned
-- banned beyond the window's end after playing on several days; since the ban (updated_at) only refused logins
SELECT u.status = 'banned'
   AND u.banned_until > %(until)s
   AND u.updated_at < %(until)s - interval '1 day'
   AND (SELECT count(DISTINCT (e.occurred_at AT TIME ZONE 'UTC')::date) FROM auth_events e
        WHERE e.user_id = u.id AND e.event_type = 'login_success') >= 2
   AND NOT EXISTS (SELECT FROM auth_events e
                   WHERE e.user_id = u.id AND e.occurred_at > u.updated_at
                     AND e.failure_reason IS DISTINCT FROM 'account_banned')
   AND NOT EXISTS (SELECT FROM transactions t
                   WHERE t.user_id = u.id AND t.created_at > u.updated_at) AS holds
FROM users u WHERE u.id = %(user)s;

-- role: locked
-- locked beyond the window's end; the log ends with five wrong passwords within a minute and the lock
SELECT u.status = 'locked'
   AND u.locked_until > %(until)s
   AND u.last_login_at = (SELECT max(e.occurred_at) FROM auth_events e
                          WHERE e.user_id = u.id AND e.event_type = 'login_success')
   AND u.failed_login_count >= 5
   AND u.failed_login_count = (SELECT count(*) FROM auth_events e
                               WHERE e.user_id = u.id AND e.event_type = 'login_failure'
                                 AND e.occurred_at > u.last_login_at)
   AND (SELECT array_agg(l.event_type ORDER BY l.nth) = '{account_locked,login_failure,login_failure,'
               'login_failure,login_failure,login_failure}'
               AND count(*) FILTER (WHERE l.failure_reason = 'wrong_password') = 5
               AND max(l.occurred_at) - min(l.occurred_at) <= interval '1 minute'
        FROM (SELECT e.event_type, e.failure_reason, e.occurred_at,
                     row_number() OVER (ORDER BY e.occurred_at DESC, e.id DESC) AS nth
              FROM auth_events e WHERE e.user_id = u.id) l
        WHERE l.nth <= 6) AS holds
FROM users u WHERE u.id = %(user)s;

-- role: deleted
-- deleted inside the window after having logged in, and nothing at all has happened since
SELECT u.status = 'deleted'
   AND u.deleted_at BETWEEN u.created_at AND %(until)s
   AND u.last_login_at < u.deleted_at
   AND NOT EXISTS (SELECT FROM auth_events e WHERE e.user_id = u.id AND e.occurred_at > u.deleted_at)
   AND NOT EXISTS (SELECT FROM transactions t
                   WHERE t.user_id = u.id AND t.created_at > u.deleted_at) AS holds
FROM users u WHERE u.id = %(user)s;

-- role: refunded
-- active, each refunded purchase (at least one) has its mirroring row, wallets and lifetime spend add up
SELECT u.status = 'active'
   AND l.refunded >= 1
   AND l.refunded = (SELECT count(*) FROM transactions p JOIN transactions r ON r.refund_of = p.id
                     WHERE p.user_id = u.id AND p.type = 'iap_purchase' AND p.status = 'refunded'
                       AND r.type = 'refund' AND r.status = 'completed' AND r.created_at = p.refunded_at
                       AND r.created_at > p.completed_at
                       AND (r.user_id, r.item_id, r.quantity, r.currency, r.amount_minor, r.amount_usd_cents)
                         = (p.user_id, p.item_id, p.quantity, p.currency, -p.amount_minor, -p.amount_usd_cents))
   AND l.refunded = (SELECT count(*) FROM transactions r WHERE r.user_id = u.id AND r.type = 'refund')
   AND (u.soft_balance, u.hard_balance, u.lifetime_spend_usd_cents) = (l.soft, l.hard, l.spent) AS holds
FROM users u
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE t.type = 'iap_purchase' AND t.status = 'refunded') AS refunded,
           sum(t.soft_delta) AS soft, sum(t.hard_delta) AS hard,
           sum(t.amount_usd_cents) FILTER (WHERE t.completed_at IS NOT NULL) AS spent
    FROM transactions t WHERE t.user_id = u.id) l
WHERE u.id = %(user)s;

-- role: charged_back
-- active, each charged back purchase (at least one) has its mirroring row, wallets and lifetime spend add up
SELECT u.status = 'active'
   AND l.charged_back >= 1
   AND l.charged_back = (SELECT count(*) FROM transactions p JOIN transactions r ON r.refund_of = p.id
                         WHERE p.user_id = u.id AND p.type = 'iap_purchase' AND p.status = 'charged_back'
                           AND r.type = 'chargeback' AND r.status = 'completed' AND r.created_at = p.refunded_at
                           AND r.created_at > p.completed_at
                           AND (r.user_id, r.item_id, r.quantity, r.currency, r.amount_minor, r.amount_usd_cents)
                             = (p.user_id, p.item_id, p.quantity, p.currency, -p.amount_minor, -p.amount_usd_cents))
   AND l.charged_back = (SELECT count(*) FROM transactions r WHERE r.user_id = u.id AND r.type = 'chargeback')
   AND (u.soft_balance, u.hard_balance, u.lifetime_spend_usd_cents) = (l.soft, l.hard, l.spent) AS holds
FROM users u
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE t.type = 'iap_purchase' AND t.status = 'charged_back') AS charged_back,
           sum(t.soft_delta) AS soft, sum(t.hard_delta) AS hard,
           sum(t.amount_usd_cents) FILTER (WHERE t.completed_at IS NOT NULL) AS spent
    FROM transactions t WHERE t.user_id = u.id) l
WHERE u.id = %(user)s;

-- role: trader
-- active, a trade was completed: both legs at one instant about a tradable item, what the one paid the other got
SELECT u.status = 'active'
   AND EXISTS (SELECT FROM transactions mine
               JOIN transactions theirs ON theirs.trade_id = mine.trade_id AND theirs.id <> mine.id
               JOIN items i ON i.id = mine.item_id AND i.is_tradable
               WHERE mine.user_id = u.id AND (mine.type, mine.status) = ('trade', 'completed')
                 AND (theirs.type, theirs.status) = ('trade', 'completed')
                 AND mine.soft_delta <> 0 AND theirs.soft_delta = -mine.soft_delta
                 AND (theirs.user_id, theirs.counterparty_user_id, theirs.item_id, theirs.created_at)
                   = (mine.counterparty_user_id, mine.user_id, mine.item_id, mine.created_at)) AS holds
FROM users u WHERE u.id = %(user)s;

-- role: gifter
-- active, and gave at least one item to somebody else who had an account at that moment
SELECT u.status = 'active'
   AND EXISTS (SELECT FROM transactions t JOIN users o ON o.id = t.counterparty_user_id
               WHERE t.user_id = u.id AND (t.type, t.status) = ('gift', 'completed') AND o.id <> u.id
                 AND o.created_at <= t.created_at
                 AND coalesce(o.deleted_at, 'infinity') > t.created_at) AS holds
FROM users u WHERE u.id = %(user)s;

-- role: mfa_user
-- active, a challenge was met with a login, and after the first no login by hand came without a challenge
SELECT u.status = 'active' AND u.mfa_enabled
   AND count(*) FILTER (WHERE l.challenged) >= 1
   AND count(*) FILTER (WHERE NOT l.challenged AND l.nth > 1 AND l.auth_method <> 'refresh_token') = 0 AS holds
FROM users u
LEFT JOIN LATERAL (
    SELECT e.auth_method, row_number() OVER (ORDER BY e.occurred_at, e.id) AS nth,
           EXISTS (SELECT FROM auth_events c
                   WHERE c.user_id = e.user_id AND c.event_type = 'mfa_challenge' AND c.device_id = e.device_id
                     AND c.occurred_at BETWEEN e.occurred_at - interval '1 minute' AND e.occurred_at) AS challenged
    FROM auth_events e WHERE e.user_id = u.id AND e.event_type = 'login_success') l ON true
WHERE u.id = %(user)s GROUP BY u.id;

-- role: attacked
-- active, 20 or more attempts of an attack on it alone within ten minutes locked it, none got in, the owner came back
SELECT u.status = 'active'
   AND EXISTS (SELECT FROM auth_events a WHERE a.attack_id IN (SELECT attack_id FROM auth_events WHERE user_id = u.id)
               GROUP BY a.attack_id
               HAVING count(*) FILTER (WHERE a.event_type = 'login_failure') >= 20
                  AND bool_and(a.user_id IS NOT DISTINCT FROM u.id)
                  AND max(a.occurred_at) - min(a.occurred_at) <= interval '10 minutes'
                  AND max(a.occurred_at) < u.last_login_at
                  AND EXISTS (SELECT FROM auth_events l
                              WHERE l.user_id = u.id AND l.event_type = 'account_locked'
                                AND l.occurred_at BETWEEN min(a.occurred_at) AND max(a.occurred_at)))
   AND NOT EXISTS (SELECT FROM auth_events e
                   WHERE e.user_id = u.id AND e.event_type = 'login_success' AND e.attack_id IS NOT NULL) AS holds
FROM users u WHERE u.id = %(user)s;

-- role: taken_over
-- active, an attack got in from a foreign address, then the owner from an own one asked for a new password, set it
-- and logged in
SELECT u.status = 'active'
   AND EXISTS (SELECT FROM auth_events a
               JOIN auth_events asked ON asked.user_id = a.user_id AND asked.occurred_at > a.occurred_at
               JOIN auth_events done ON done.user_id = a.user_id AND done.occurred_at > asked.occurred_at
               WHERE a.user_id = u.id AND a.event_type = 'login_success' AND a.attack_id IS NOT NULL
                 AND asked.event_type = 'password_reset_requested' AND asked.attack_id IS NULL
                 AND done.event_type = 'password_reset_completed' AND done.attack_id IS NULL
                 AND NOT EXISTS (SELECT FROM auth_events o
                                 WHERE o.user_id = u.id AND o.attack_id IS NULL AND o.ip = a.ip)
                 AND EXISTS (SELECT FROM auth_events o
                             WHERE o.user_id = u.id AND o.event_type = 'login_success' AND o.attack_id IS NULL
                               AND o.ip = done.ip AND o.occurred_at > done.occurred_at)
                 AND NOT EXISTS (SELECT FROM auth_events o
                                 WHERE o.user_id = u.id AND o.event_type = 'login_success'
                                   AND o.attack_id IS NOT NULL AND o.occurred_at > done.occurred_at)) AS holds
FROM users u WHERE u.id = %(user)s;

-- role: failed_payer
-- active, at least one purchase for real money failed, none came to anything else, and nothing was ever spent
SELECT u.status = 'active'
   AND u.lifetime_spend_usd_cents = 0
   AND count(*) FILTER (WHERE t.status = 'failed') >= 1
   AND count(*) FILTER (WHERE t.status <> 'failed') = 0 AS holds
FROM users u LEFT JOIN transactions t ON t.user_id = u.id AND t.amount_usd_cents IS NOT NULL
WHERE u.id = %(user)s GROUP BY u.id;

-- role: multi_device
-- active, and has logged in on at least three devices
SELECT u.status = 'active'
   AND (SELECT count(DISTINCT e.device_id) FROM auth_events e
        WHERE e.user_id = u.id AND e.event_type = 'login_success' AND e.attack_id IS NULL) >= 3 AS holds
FROM users u WHERE u.id = %(user)s;

-- role: unverified
-- active with a password and an e-mail address that was never confirmed, and has logged in all the same
SELECT u.status = 'active'
   AND u.signup_provider = 'password' AND u.password_hash IS NOT NULL
   AND u.email IS NOT NULL AND u.email_verified_at IS NULL
   AND EXISTS (SELECT FROM auth_events e
               WHERE e.user_id = u.id AND e.event_type = 'login_success' AND e.attack_id IS NULL) AS holds
FROM users u WHERE u.id = %(user)s;

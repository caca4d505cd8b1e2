-- Every realism target as a query: psql -f queries.sql against a seeded database prints all figures.
-- m01 to m28 are the queries of the project's list of published figures, x01 to x17 what that list asks for without one.
-- The views give each primary key the name that its foreign keys use.
CREATE TEMP VIEW m_users        AS SELECT id AS user_id, u.* FROM users u;
CREATE TEMP VIEW m_items        AS SELECT id AS item_id, i.* FROM items i;
CREATE TEMP VIEW m_transactions AS SELECT id AS transaction_id, t.* FROM transactions t;
CREATE TEMP VIEW m_auth_events  AS SELECT id AS event_id, e.* FROM auth_events e;
-- m01 retention D1/D7/D28 (classic, UTC calendar day; activity = login_success); only cohorts old enough are counted
WITH act AS (SELECT DISTINCT user_id, (occurred_at AT TIME ZONE 'UTC')::date d FROM m_auth_events WHERE event_type='login_success' AND attack_id IS NULL),
     u AS (SELECT user_id, (created_at AT TIME ZONE 'UTC')::date d0 FROM m_users),
     hz AS (SELECT max(d) mx FROM act)
SELECT n, round(avg((a.user_id IS NOT NULL)::int),4) AS retention, count(*) AS cohort
FROM u CROSS JOIN hz CROSS JOIN (VALUES (1),(7),(28)) v(n) LEFT JOIN act a ON a.user_id=u.user_id AND a.d=u.d0+n
WHERE u.d0+n <= hz.mx GROUP BY n ORDER BY n;
-- m02 power-law exponent of the retention curve, days 1..28
WITH act AS (SELECT DISTINCT user_id, (occurred_at AT TIME ZONE 'UTC')::date d FROM m_auth_events WHERE event_type='login_success' AND attack_id IS NULL),
     u AS (SELECT user_id, (created_at AT TIME ZONE 'UTC')::date d0 FROM m_users), hz AS (SELECT max(d) mx FROM act),
     r AS (SELECT n, avg((a.user_id IS NOT NULL)::int) p FROM u CROSS JOIN hz CROSS JOIN generate_series(1,28) n LEFT JOIN act a ON a.user_id=u.user_id AND a.d=u.d0+n WHERE u.d0+n<=hz.mx GROUP BY n)
SELECT round(regr_slope(ln(p),ln(n))::numeric,3) exponent, round(regr_r2(ln(p),ln(n))::numeric,3) r2 FROM r WHERE p>0;
-- m03 sessions per active day
SELECT round(avg(c),2) mean_sessions, percentile_cont(0.5) WITHIN GROUP (ORDER BY c) median FROM (SELECT count(*) c FROM m_auth_events WHERE event_type='login_success' AND attack_id IS NULL GROUP BY user_id,(occurred_at AT TIME ZONE 'UTC')::date) s;
-- m04 payer conversion, ARPPU
SELECT round(count(DISTINCT t.user_id)::numeric/nullif((SELECT count(*) FROM m_users),0),4) payer_share, round(sum(amount_usd_cents)/100.0/nullif(count(DISTINCT t.user_id),0),2) arppu_usd, round(avg(amount_usd_cents)/100.0,2) avg_purchase_usd FROM m_transactions t WHERE type='iap_purchase' AND status IN ('completed','refunded','charged_back');
-- m04b share of DAU that buys on a day
WITH d AS (SELECT (occurred_at AT TIME ZONE 'UTC')::date d, count(DISTINCT user_id) dau FROM m_auth_events WHERE event_type='login_success' AND attack_id IS NULL GROUP BY 1),
     p AS (SELECT (created_at AT TIME ZONE 'UTC')::date d, count(DISTINCT user_id) py FROM m_transactions WHERE type='iap_purchase' AND status IN ('completed','refunded','charged_back') GROUP BY 1)
SELECT round(sum(coalesce(py,0))/sum(dau),4) daily_payer_share FROM d LEFT JOIN p USING (d);
-- m05 P(payer | active on Dn)
WITH p AS (SELECT DISTINCT user_id FROM m_transactions WHERE type='iap_purchase' AND status IN ('completed','refunded','charged_back')),
     act AS (SELECT DISTINCT e.user_id, (e.occurred_at AT TIME ZONE 'UTC')::date-(u.created_at AT TIME ZONE 'UTC')::date n FROM m_auth_events e JOIN m_users u USING(user_id) WHERE event_type='login_success' AND attack_id IS NULL)
SELECT n, round(avg((p.user_id IS NOT NULL)::int),4) payer_share FROM act LEFT JOIN p USING(user_id) WHERE n IN (0,1,7) GROUP BY n ORDER BY n;
-- m06 concentration: top 1/5/10 % of payers, Gini
WITH s AS (SELECT user_id, sum(amount_usd_cents)::numeric v FROM m_transactions WHERE type='iap_purchase' AND status IN ('completed','refunded','charged_back') GROUP BY 1),
     r AS (SELECT v, row_number() OVER (ORDER BY v DESC) k, row_number() OVER (ORDER BY v) i, count(*) OVER () n, sum(v) OVER () tot FROM s)
SELECT round(sum(v) FILTER (WHERE k<=greatest(1,round(n*.01)))/max(tot),3) top1, round(sum(v) FILTER (WHERE k<=greatest(1,round(n*.05)))/max(tot),3) top5, round(sum(v) FILTER (WHERE k<=greatest(1,round(n*.10)))/max(tot),3) top10,
       round(2*sum(i*v)/(max(n)*max(tot))-(max(n)+1)::numeric/max(n),3) gini, max(n) payers FROM r;
-- m07 purchases per payer in the 30 days after the first purchase (payers with 30 days of exposure only)
WITH f AS (SELECT user_id, min(created_at) t0 FROM m_transactions WHERE type='iap_purchase' AND status IN ('completed','refunded','charged_back') GROUP BY 1),
     hz AS (SELECT max(occurred_at) mx FROM m_auth_events),
     c AS (SELECT f.user_id, count(*) c FROM f JOIN hz ON f.t0 < hz.mx - interval '30 days' JOIN m_transactions t ON t.user_id=f.user_id AND t.type='iap_purchase' AND t.status IN ('completed','refunded','charged_back') AND t.created_at < f.t0+interval '30 days' GROUP BY 1)
SELECT round(avg((c=1)::int),3) one, round(avg((c>=5)::int),3) five_plus, round(avg(c),2) mean, round(var_samp(c)/avg(c),2) dispersion FROM c;
-- m08 price mix by bucket
SELECT width_bucket(amount_usd_cents, ARRAY[0,501,1001,2001,5001]) b, round(count(*)/sum(count(*)) OVER (),3) unit_share, round(sum(amount_usd_cents)/sum(sum(amount_usd_cents)) OVER (),3) revenue_share FROM m_transactions WHERE type='iap_purchase' AND status IN ('completed','refunded','charged_back') GROUP BY 1 ORDER BY 1;
-- m09 time to first purchase: share on day 0 among payers; modal day
WITH f AS (SELECT u.user_id, (min(t.created_at) AT TIME ZONE 'UTC')::date-(u.created_at AT TIME ZONE 'UTC')::date n FROM m_transactions t JOIN m_users u USING(user_id) WHERE type='iap_purchase' AND t.status IN ('completed','refunded','charged_back') GROUP BY 1,u.created_at)
SELECT round(avg((n=0)::int),3) day0, mode() WITHIN GROUP (ORDER BY n) modal_day, percentile_cont(.5) WITHIN GROUP (ORDER BY n) median_day FROM f;
-- m10 repeat purchase within 14 days of the first
WITH o AS (SELECT user_id, created_at t, row_number() OVER (PARTITION BY user_id ORDER BY created_at) k, min(created_at) OVER (PARTITION BY user_id) t0 FROM m_transactions WHERE type='iap_purchase' AND status IN ('completed','refunded','charged_back'))
SELECT round(count(*) FILTER (WHERE k=2 AND t<t0+interval '14 days')::numeric/nullif(count(*) FILTER (WHERE k=1),0),3) repeat14 FROM o WHERE t0 < (SELECT max(occurred_at) FROM m_auth_events) - interval '14 days';
-- m11 refunds, chargebacks, failed payments
SELECT round(avg((status='refunded')::int) FILTER (WHERE status<>'failed'),4) refund_rate, round(avg((status='charged_back')::int) FILTER (WHERE status<>'failed'),4) chargeback_rate, round(avg((status='failed')::int),4) failed_rate FROM m_transactions WHERE type='iap_purchase';
-- m12 item popularity (virtual-currency store): Zipf slope over top 50 ranks, top-10% share
WITH c AS (SELECT item_id, count(*)::float n FROM m_transactions WHERE type='store_purchase' AND status='completed' GROUP BY 1), r AS (SELECT n, row_number() OVER (ORDER BY n DESC) k, count(*) OVER () m, sum(n) OVER () tot FROM c)
SELECT round(-regr_slope(ln(n),ln(k)) FILTER (WHERE k<=50)::numeric,3) zipf_s, round(regr_r2(ln(n),ln(k)) FILTER (WHERE k<=50)::numeric,3) r2, round((sum(n) FILTER (WHERE k<=m*.1)/max(tot))::numeric,3) top10pct_share FROM r;
-- m13 rarity mix of loot drops
SELECT rarity, round(count(*)/sum(count(*)) OVER (),4) share FROM m_transactions t JOIN m_items i USING(item_id) WHERE t.type='loot_drop' GROUP BY 1 ORDER BY 2 DESC;
-- m14 median store price by rarity (must be increasing)
SELECT rarity, percentile_disc(.5) WITHIN GROUP (ORDER BY price_hard) p50, count(*) FROM m_items WHERE price_hard IS NOT NULL GROUP BY 1 ORDER BY 2;
-- m15 hour-of-day (local time) share of sessions
SELECT extract(hour FROM occurred_at AT TIME ZONE u.timezone)::int h, round(100.0*count(*)/sum(count(*)) OVER (),2) pct FROM m_auth_events e JOIN m_users u USING(user_id) WHERE event_type='login_success' AND attack_id IS NULL GROUP BY 1 ORDER BY 1;
-- m16 weekend uplift
WITH d AS (SELECT (occurred_at AT TIME ZONE 'UTC')::date d, count(*) c FROM m_auth_events WHERE event_type='login_success' AND attack_id IS NULL GROUP BY 1)
SELECT round(avg(c) FILTER (WHERE extract(isodow FROM d)>=6)/avg(c) FILTER (WHERE extract(isodow FROM d)<6),3) weekend_ratio FROM d;
-- m17 country mix
SELECT country_code, round(100.0*count(*)/sum(count(*)) OVER (),2) pct FROM m_users GROUP BY 1 ORDER BY 2 DESC LIMIT 8;
-- m18 playtime: log-normal shape (mean/sd of ln hours), tail shares
SELECT round(exp(avg(ln(playtime_seconds/3600.0)))::numeric,2) median_h, round(stddev_samp(ln(playtime_seconds/3600.0))::numeric,2) sigma_ln, round(avg((playtime_seconds<36000)::int),3) under10h, round(avg((playtime_seconds>126000)::int),3) over35h FROM m_users WHERE playtime_seconds>0;
-- m19 level vs playtime exponent: ln(seconds) = a + b ln(level)
SELECT round(regr_slope(ln(playtime_seconds),ln(level))::numeric,2) b FROM m_users WHERE level BETWEEN 5 AND 60 AND playtime_seconds>0;
-- m20 legitimate interactive password logins: failure share
SELECT round(avg((event_type='login_failure')::int),4) legit_pw_failure FROM m_auth_events WHERE auth_method='password' AND attack_id IS NULL AND event_type IN ('login_success','login_failure');
-- m21 attack share of login attempts; success rate inside attacks; attempts per attacking IP; UAs per attack
SELECT round(avg((attack_id IS NOT NULL)::int),4) attack_share, round(avg((event_type='login_success')::int) FILTER (WHERE attack_id IS NOT NULL),5) attack_success FROM m_auth_events WHERE event_type IN ('login_success','login_failure');
SELECT attack_id, count(*) attempts, count(DISTINCT ip) ips, round(count(*)::numeric/count(DISTINCT ip),2) per_ip, count(DISTINCT user_agent) uas, count(DISTINCT coalesce(user_id::text,identifier)) accounts, max(occurred_at)-min(occurred_at) span FROM m_auth_events WHERE attack_id IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 6;
-- m22 failure reasons
SELECT (attack_id IS NOT NULL) attack, failure_reason, round(count(*)/sum(count(*)) OVER (PARTITION BY attack_id IS NOT NULL),3) share FROM m_auth_events WHERE event_type='login_failure' GROUP BY 1,2 ORDER BY 1,3 DESC;
-- m23 failures before the next success (legit password episodes): retry success p
WITH e AS (SELECT user_id, occurred_at, event_type, coalesce(sum((event_type='login_success')::int) OVER (PARTITION BY user_id ORDER BY occurred_at, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),0) g FROM m_auth_events WHERE auth_method='password' AND attack_id IS NULL AND event_type IN ('login_success','login_failure')),
     k AS (SELECT user_id,g, count(*) FILTER (WHERE event_type='login_failure') f, bool_or(event_type='login_success') ok FROM e GROUP BY 1,2)
SELECT round(avg((ok AND f<=2)::int),3) within3, round(avg((ok AND f<=9)::int),3) within10, round(avg(f),2) mean_failures FROM k WHERE f>0;
-- m24 MFA, resets, devices, IPs
SELECT round(avg(mfa_enabled::int),4) mfa FROM m_users;
WITH m AS (SELECT date_trunc('month',occurred_at) mo, count(DISTINCT user_id) FILTER (WHERE event_type='login_success' AND attack_id IS NULL) mau, count(DISTINCT user_id) FILTER (WHERE event_type='password_reset_requested') rs, count(*) FILTER (WHERE event_type='password_reset_completed') done, count(*) FILTER (WHERE event_type='password_reset_requested') req FROM m_auth_events GROUP BY 1)
SELECT round(sum(rs)/sum(mau),4) reset_per_mau, round(sum(done)/nullif(sum(req),0),3) completion FROM m;
SELECT round(avg((d=1)::int),3) one_device, round(avg(d),2) mean_devices, round(avg((i=1)::int),3) one_ip, round(avg(i),2) mean_ips FROM (SELECT user_id, count(DISTINCT device_id) d, count(DISTINCT ip) i FROM m_auth_events WHERE event_type='login_success' AND attack_id IS NULL GROUP BY 1) x;
-- m25 safety: every address reserved
SELECT count(*) FILTER (WHERE email !~* '@([a-z0-9-]+\.)*(example\.(com|net|org)|[a-z0-9-]+\.(test|example|invalid))$') bad_email FROM m_users WHERE email IS NOT NULL;
SELECT count(*) bad_ip FROM m_auth_events WHERE NOT (ip << '192.0.2.0/24' OR ip << '198.51.100.0/24' OR ip << '203.0.113.0/24' OR ip << '198.18.0.0/15' OR ip << '2001:db8::/32' OR ip << '3fff::/20');
-- m26 trades: both legs present, completion share, share of users who ever trade
SELECT count(*) FILTER (WHERE n<>2) broken_trades FROM (SELECT trade_id, count(*) n FROM m_transactions WHERE type='trade' GROUP BY 1) x;
SELECT round(avg((status='completed')::int),3) completed FROM m_transactions WHERE type='trade';
SELECT round(count(DISTINCT user_id)::numeric/nullif((SELECT count(*) FROM m_users),0),4) traders FROM m_transactions WHERE type='trade';
-- m27 integrity: refund rows mirror their purchase; nobody acts before signing up; no purchase after item retired
SELECT count(*) bad_refund FROM m_transactions r JOIN m_transactions p ON p.transaction_id=r.refund_of WHERE r.amount_usd_cents<>-p.amount_usd_cents OR r.user_id<>p.user_id OR r.created_at<p.completed_at OR p.status NOT IN ('refunded','charged_back');
SELECT count(*) before_signup FROM m_transactions t JOIN m_users u USING(user_id) WHERE t.created_at<u.created_at;
SELECT count(*) off_shelf FROM m_transactions t JOIN m_items i USING(item_id) WHERE t.type IN ('iap_purchase','store_purchase') AND (t.created_at<i.available_from OR t.created_at>=i.available_until);
-- m28 the wallets reconcile: balances equal the sum of their deltas, no running balance is ever negative, spend adds up, last_login_at is the last login
SELECT count(*) bad_balance FROM m_users u LEFT JOIN (SELECT user_id, sum(soft_delta) s, sum(hard_delta) h FROM m_transactions GROUP BY 1) d USING (user_id) WHERE u.soft_balance<>coalesce(d.s,0) OR u.hard_balance<>coalesce(d.h,0);
SELECT count(*) overdrawn FROM (SELECT sum(soft_delta) OVER w s, sum(hard_delta) OVER w h FROM m_transactions WINDOW w AS (PARTITION BY user_id ORDER BY coalesce(completed_at,created_at), transaction_id)) x WHERE s<0 OR h<0;
SELECT count(*) bad_spend FROM m_users u LEFT JOIN (SELECT user_id, sum(amount_usd_cents) v FROM m_transactions WHERE type IN ('iap_purchase','refund','chargeback') AND status NOT IN ('pending','failed','cancelled') GROUP BY 1) p USING (user_id) WHERE u.lifetime_spend_usd_cents<>coalesce(p.v,0);
SELECT count(*) bad_last_login FROM m_users u LEFT JOIN (SELECT user_id, max(occurred_at) t FROM m_auth_events WHERE event_type='login_success' GROUP BY 1) l USING (user_id) WHERE u.last_login_at IS DISTINCT FROM l.t;
-- x01 sizes: how many rows stand behind the shares
SELECT (SELECT count(*) FROM m_users) users, count(DISTINCT user_id) FILTER (WHERE status IN ('completed','refunded','charged_back')) payers, count(*) FILTER (WHERE status IN ('completed','refunded','charged_back')) purchases, count(*) attempts,
       (SELECT count(*) FROM m_items) items, (SELECT count(*) FROM m_transactions WHERE type='loot_drop') drops, (SELECT count(*) FROM m_transactions WHERE type='trade') trade_legs,
       (SELECT count(*) FROM (SELECT event_type, lead(event_type) OVER (PARTITION BY user_id ORDER BY occurred_at, event_id) following FROM m_auth_events WHERE auth_method='password' AND attack_id IS NULL AND event_type IN ('login_success','login_failure')) e WHERE event_type='login_failure' AND following='login_success') episodes
FROM m_transactions WHERE type='iap_purchase';
-- x02 P(active on day 7 | active on day 1) against P(active on day 7 | not active on day 1)
WITH act AS (SELECT DISTINCT user_id, (occurred_at AT TIME ZONE 'UTC')::date d FROM m_auth_events WHERE event_type='login_success' AND attack_id IS NULL),
     u AS (SELECT user_id, (created_at AT TIME ZONE 'UTC')::date d0 FROM m_users WHERE (created_at AT TIME ZONE 'UTC')::date + 7 <= (SELECT max(d) FROM act)),
     f AS (SELECT a.user_id IS NOT NULL d1, b.user_id IS NOT NULL d7 FROM u LEFT JOIN act a ON a.user_id=u.user_id AND a.d=u.d0+1 LEFT JOIN act b ON b.user_id=u.user_id AND b.d=u.d0+7)
SELECT round(avg(d7::int) FILTER (WHERE d1)/nullif(avg(d7::int) FILTER (WHERE NOT d1),0),2) ratio FROM f;
-- x03 P(payer | active on day 1 or 7) as a multiple of the overall share
WITH p AS (SELECT DISTINCT user_id FROM m_transactions WHERE type='iap_purchase' AND status IN ('completed','refunded','charged_back')),
     act AS (SELECT DISTINCT e.user_id, (e.occurred_at AT TIME ZONE 'UTC')::date-(u.created_at AT TIME ZONE 'UTC')::date n FROM m_auth_events e JOIN m_users u USING(user_id) WHERE event_type='login_success' AND attack_id IS NULL)
SELECT n, round(avg((p.user_id IS NOT NULL)::int)/nullif((SELECT count(*) FROM p)::numeric/(SELECT count(*) FROM m_users),0),2) ratio, count(*) active FROM act LEFT JOIN p USING(user_id) WHERE n IN (1,7) GROUP BY n ORDER BY n;
-- x04 purchases at a price that is not the item's listed one
SELECT count(*) off_list FROM m_transactions t JOIN m_items i USING(item_id) WHERE t.type='iap_purchase' AND t.amount_usd_cents IS DISTINCT FROM i.price_usd_cents*t.quantity;
-- x05 how people pay
SELECT payment_method, round(count(*)/sum(count(*)) OVER (),4) share FROM m_transactions WHERE type='iap_purchase' GROUP BY 1 ORDER BY 2 DESC;
-- x06 revenue per user on iOS against Android; revenue share of the US and Japan against their share of users
WITH p AS (SELECT user_id, sum(amount_usd_cents)::numeric v FROM m_transactions WHERE type='iap_purchase' AND status IN ('completed','refunded','charged_back') GROUP BY 1),
     u AS (SELECT platform, country_code, coalesce(v,0) v FROM m_users LEFT JOIN p USING(user_id))
SELECT round(avg(v) FILTER (WHERE platform='ios')/nullif(avg(v) FILTER (WHERE platform='android'),0),2) ios_to_android, round(avg(v) FILTER (WHERE country_code IN ('US','JP'))/nullif(avg(v),0),2) us_jp FROM u;
-- x07 median store price by rarity, as a multiple of uncommon's
WITH p AS (SELECT rarity, percentile_disc(.5) WITHIN GROUP (ORDER BY price_hard)::numeric p50 FROM m_items WHERE price_hard IS NOT NULL GROUP BY 1)
SELECT rarity, round(p50/(SELECT p50 FROM p WHERE rarity='uncommon'),3) ratio FROM p ORDER BY 2;
-- x08 the catalogue by rarity
SELECT rarity, round(count(*)/sum(count(*)) OVER (),4) share FROM m_items GROUP BY 1 ORDER BY 2 DESC;
-- x09 price per GEM of the largest currency pack against the smallest
WITH p AS (SELECT price_usd_cents::numeric/grants_hard per_gem, grants_hard FROM m_items WHERE item_type='currency_pack' AND price_usd_cents IS NOT NULL)
SELECT round((SELECT per_gem FROM p ORDER BY grants_hard DESC LIMIT 1)/nullif((SELECT per_gem FROM p ORDER BY grants_hard LIMIT 1),0)-1,3) bonus;
-- x10 share of purchases from 15h to 24h, local time
SELECT round(avg((extract(hour FROM t.created_at AT TIME ZONE u.timezone)>=15)::int),3) late FROM m_transactions t JOIN m_users u USING(user_id) WHERE t.type='iap_purchase' AND t.status IN ('completed','refunded','charged_back');
-- x11 the hour curve: its peak, its minimum, and how far they lie apart
WITH h AS (SELECT extract(hour FROM occurred_at AT TIME ZONE u.timezone)::int h, count(*)::numeric c FROM m_auth_events e JOIN m_users u USING(user_id) WHERE event_type='login_success' AND attack_id IS NULL GROUP BY 1)
SELECT (SELECT h FROM h ORDER BY c DESC LIMIT 1) peak, (SELECT h FROM h ORDER BY c LIMIT 1) low, round(max(c)/min(c),2) max_to_min, round(100*max(c) FILTER (WHERE h=20)/sum(c),2) at_20h FROM h;
-- x12 levels below the cap: tens of levels with more users than the ten below, beyond chance
WITH t AS (SELECT (level-1)/10 ten, count(*) c FROM m_users WHERE level<100 GROUP BY 1)
SELECT count(*) rising FROM (SELECT c, lag(c) OVER (ORDER BY ten) below FROM t) x WHERE c>below+3*sqrt(below);
-- x13 legitimate failures with a wrong password; stuffing attempts on unknown users
SELECT round(avg((failure_reason='wrong_password')::int),3) wrong_password FROM m_auth_events WHERE event_type='login_failure' AND attack_id IS NULL;
-- x14 attacks by their shape: attempts per address, user agents, hours; and the share that shows an HTTP library
WITH a AS (SELECT attack_id, count(*) n, count(*)::numeric/count(DISTINCT ip) per_ip, count(DISTINCT user_agent) uas, count(DISTINCT coalesce(user_id::text,identifier)) accounts, extract(epoch FROM max(occurred_at)-min(occurred_at))/3600 hours, bool_or(user_agent !~ '^(Mozilla|Example)') library FROM m_auth_events WHERE attack_id IS NOT NULL GROUP BY 1)
SELECT CASE WHEN accounts=1 THEN 'brute_force' WHEN per_ip>=10 THEN 'few_addresses' ELSE 'spread' END kind, count(*) attacks, round(min(per_ip),2) least_per_ip, round(max(per_ip),2) most_per_ip, max(uas) most_agents, round(min(hours)/24,2) least_days, round(max(hours)/24,2) most_days FROM a WHERE n>=100 GROUP BY 1 ORDER BY 1;
WITH a AS (SELECT attack_id, bool_or(user_agent !~ '^(Mozilla|Example)') library FROM m_auth_events WHERE attack_id IS NOT NULL GROUP BY 1)
SELECT round(avg(library::int),3) library, count(*) attacks FROM a;
-- x15 spikes of a spread attack: hours in a row with more than twice the attack's mean per hour
WITH a AS (SELECT attack_id, count(*)::numeric n, min(occurred_at) t0, extract(epoch FROM max(occurred_at)-min(occurred_at))/3600 hours FROM m_auth_events WHERE attack_id IS NOT NULL GROUP BY 1 HAVING count(*)>=500 AND count(*)<2*count(DISTINCT ip)),
     h AS (SELECT attack_id, floor(extract(epoch FROM e.occurred_at-a.t0)/3600)::int h FROM m_auth_events e JOIN a USING(attack_id) GROUP BY attack_id, 2, a.n, a.hours HAVING count(*)>2*a.n/a.hours),
     s AS (SELECT attack_id, count(*) FILTER (WHERE h-before>6 OR before IS NULL) spikes FROM (SELECT attack_id, h, lag(h) OVER (PARTITION BY attack_id ORDER BY h) before FROM h) x GROUP BY 1)
SELECT min(spikes) fewest, max(spikes) most FROM s;
-- x16 share of the users still active on day 7 or later who ever trade
WITH s AS (SELECT DISTINCT user_id FROM m_auth_events e JOIN m_users u USING(user_id) WHERE event_type='login_success' AND attack_id IS NULL AND (e.occurred_at AT TIME ZONE 'UTC')::date >= (u.created_at AT TIME ZONE 'UTC')::date+7),
     t AS (SELECT DISTINCT user_id FROM m_transactions WHERE type='trade')
SELECT round(avg((t.user_id IS NOT NULL)::int),4) traders, count(*) stayed FROM s LEFT JOIN t USING(user_id);
-- x17 second factors of payers against those of all users
WITH p AS (SELECT DISTINCT user_id FROM m_transactions WHERE type='iap_purchase' AND status IN ('completed','refunded','charged_back'))
SELECT round(avg(mfa_enabled::int) FILTER (WHERE p.user_id IS NOT NULL)/nullif(avg(mfa_enabled::int) FILTER (WHERE p.user_id IS NULL),0),2) payers_to_others FROM m_users LEFT JOIN p USING(user_id);

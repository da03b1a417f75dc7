"""Black-box scenarios: the real command line, real processes, real sockets.

What the peers test, and what their users lost, as a list of items; each has its test here or a reason why not. "Later"
is what belongs to AWS, or to a setting that does not exist yet; "simulated" is tests/simulated, on virtual
time.

A1  0 replicas, GET: 200             test_wake: a_request_to_a_sleeping_service_is_answered_by_the_app
A2  POST with a body, intact         test_body: a_body_sent_to_a_sleeping_service_arrives_whole
A3  back to 0, stays there           test_wake: the_service_goes_back_to_zero_and_stays_there
A4  after a long idle time           simulated: idle times of days need a virtual clock
A5  100 at once, one start           test_wake: a_hundred_first_requests_start_one_process
A6  all kinds of bodies while waking test_body: a_body_that_drips_…, a_stream_without_a_length_…, many_bodies_wait_…
A7  first response whole             test_wake: the_first_answer_is_not_truncated
A8  25 services wake together        test_wake: twenty_five_services_wake_together
A9  a request during the stop        test_wake: a_request_while_the_last_replica_stops_is_served
A10 the first client hangs up        test_wake: the_first_client_hanging_up_…, a_wake_that_everybody_left_…
A11 slow hops do not hang the wake   test_wake: a_slow_network_before_the_app_does_not_hang_the_wake
B1  closed port                      test_readiness: a_closed_port_is_not_ready
B2  open port, 503                   test_readiness: a_probe_with_path_and_query_decides
B3  other port, path and query       test_readiness: an_app_that_chooses_its_port_…; a gRPC probe is not claimed
B4  a delay after ready              test_readiness: a_settling_time_passes_after_ready
B5  exit during the wake             test_failure: an_app_that_exits_while_waking_is_an_error_at_once
B6  what cannot be started           test_failure: a_command_that_does_not_exist_is_named; images, quotas: later
B7  an error is tried again          test_failure: a_failed_wake_is_tried_again_after_its_backoff
B8  timeout stops what was started   test_readiness: a_wake_that_takes_too_long_is_stopped
B9  all waiters released, once       test_readiness: a_wake_that_was_called_off_releases_nobody
C1  readiness timeout, both sides    test_readiness: a_wake_that_takes_too_long_…, a_wake_that_takes_its_time_…
C2  six timeouts                     test_timeouts: the_app_has_its_time_and_no_more, an_answer_that_keeps_coming_…,
                                     an_answer_that_stands_still_is_cut
C3  waiting does not count           test_timeouts: waiting_for_a_wake_counts_against_no_limit
C4  full hold                        test_hold: a_full_hold_…, a_slow_wake_and_a_full_hold_…; its memory: bench/held.py
C5  slow A does not delay B          test_hold: a_slow_wake_and_a_full_hold_do_not_touch_another_service
C6  pause, resume, stop              test_pause, all of it
C7  clients that cancel              test_ledger: every_held_request_…; test_hold: a_client_that_hangs_up_…, …_leaves_…
D1  page for a browser               test_page: a_browser_gets_the_page_and_then_the_app
D2  hold for all others              test_page: all_but_a_navigation_is_held
D3  icons do not wake                test_ignore: a_browser_that_asks_for_an_icon_wakes_nothing
D4  status, headers, body exact      test_page: a_browser_gets_…; to the byte: tests/local/request/test_page.py
D5  never cached                     test_page: a_browser_gets_…, the_page_of_a_failed_wake_…
D6  failure and retry                test_page: the_page_of_a_failed_wake_…, try_now_is_heard_…; tests/browser
D7  answered at zero                 test_ignore: a_request_that_may_not_wake_is_answered_and_wakes_nothing
D8  by user agent                    test_ignore: a_request_that_may_not_wake_is_answered_and_wakes_nothing
D9  health checks                    test_ignore: an_ignored_request_does_not_keep_…, a_health_check_of_…
E1  streams, downloads, WebSockets   test_activity: an_answer_on_its_way_…, a_download_…, an_open_websocket_…
E2  uptime is no reason              test_activity: an_active_user_is_not_stopped_by_uptime
E3  idle WebSockets                  test_activity: an_open_websocket_…; one policy, it counts: a setting is later
E4  busy processor, busy app         test_activity: a_busy_processor_…, the_app_can_keep_itself_awake
E5  started by somebody else         test_kill: an_app_that_is_no_longer_configured_…; containers: later
E6  restart orphans nothing          test_kill, all of it
F1  concurrency 1, 100 requests      test_hold: a_replica_never_has_more_in_flight_than_it_may
F2  up, down, up                     test_scale: concurrency_scales_out_and_back_in_without_an_error
F3  targets, never above max         test_scale: concurrency_scales_out_…; a target of requests a second: not claimed
F4  min, changed live                test_scale: a_minimum_is_started_without_a_request_and_changed_live
F5  CPU out, but never to zero       test_scale: processor_load_…, an_idle_processor_is_no_reason_for_zero
F6  scale-in is not sleep            test_scale: the_scale_in_cooldown_does_not_hold_off_the_sleep
F7  load in steps, no error          test_scale: load_in_steps_from_zero_loses_nothing
G1  in flight on a leaving replica   test_drain: replicas_that_leave_finish_…, a_replica_that_leaves_is_cut_…
G2  six staggered requests           test_drain: replicas_that_leave_finish_their_requests
G3  idle ones leave at once          test_drain: replicas_that_have_nothing_to_do_leave_at_once
G4  restart of the proxy             test_drain: requests_in_flight_survive_the_stop_of_the_gateway
G5  no request to a leaving one      test_drain: no_request_meets_a_replica_that_leaves
G6  tunnels at the end               test_drain: a_tunnel_is_closed_when_the_drain_ends
H1  Host, Forwarded, trace           test_protocol: the_app_is_told_who_asked_for_what
H2  WebSocket, five ways             test_protocol: a_websocket_…; test_drain: a_tunnel_…; test_activity: an_open_…
H3  events unbuffered                test_protocol: events_arrive_one_by_one
H4  h2c, gRPC                        not claimed: HTTP/1.1 only
H5  malformed, odd targets, limits   test_body: a_malformed_body_…, a_body_over_…; test_protocol: a_target_…, what_is_…
H6  early response                   test_body: the_app_may_answer_before_it_has_the_whole_body
H7  dev servers that check Host      test_protocol: the_app_is_told_…; test_framework: a_site_makes_links_…
I1  groups                           test_groups: a_request_wakes_what_its_service_needs_first, users_stop_before_…
I2  anti-affinity                    a setting that does not exist
I3  running hours                    test_groups: in_its_hours_a_service_is_awake_unasked
I4  routes changed and deleted live  test_ops: a_reload_…, routes_are_…, a_service_that_is_taken_away_…
I5  uninstall                        nothing is installed in front of an app here
I6  metrics                          later; the ledger and `explain`: test_ledger
I7  monitors explained               test_ledger: a_monitor_that_wakes_a_service_is_named
I8  two proxies, one wake            AWS, later; on one machine the second is refused: test_ops: a_second_gateway_…
I9  the platform's API fails         tests/local/backend/docker; tests/e2e
J1  slow clients                     test_overload: heads_that_never_end_…, bodies_that_never_end_…, a_client_that_…
J2  slow and broken apps             test_overload: a_service_whose_app_hangs_…, a_replica_that_hangs_…, …_refuses_…
J3  huge heads, too many clients     test_overload: a_huge_head_…, one_client_too_many_…; idle ones: bench/idle.py
"""

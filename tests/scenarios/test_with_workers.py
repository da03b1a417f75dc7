"""What one process does, two do as well: scenarios of all parts again, with workers."""

import pytest
from tests.scenarios.test_activity import (
    test_a_keep_holds_off_the_sleep_until_it_is_ended,
    test_an_answer_on_its_way_is_activity,
    test_the_app_can_keep_itself_awake,
)
from tests.scenarios.test_drain import (
    test_a_second_signal_waits_for_nobody,
    test_replicas_that_leave_finish_their_requests,
)
from tests.scenarios.test_failure import (
    test_show_errors_puts_the_last_words_of_the_app_into_the_answer,
)
from tests.scenarios.test_hold import (
    test_a_client_that_leaves_while_the_app_works_is_no_longer_in_flight,
    test_a_full_hold_refuses_at_once_and_says_when_to_come_back,
    test_a_replica_never_has_more_in_flight_than_it_may,
    test_comment_lines_keep_a_waiting_event_stream_alive,
    test_interim_responses_keep_a_waiting_connection_alive,
)
from tests.scenarios.test_ledger import test_every_held_request_has_an_ending_in_the_ledger
from tests.scenarios.test_page import (
    test_a_browser_gets_the_page_and_then_the_app,
    test_asking_for_the_status_neither_wakes_nor_keeps_awake,
    test_try_now_is_heard_before_the_backoff_has_passed,
)
from tests.scenarios.test_pause import test_no_connection_to_the_app_outlives_the_pause
from tests.scenarios.test_scale import test_concurrency_scales_out_and_back_in_without_an_error
from tests.scenarios.test_sessions import test_a_session_outlives_sleep_and_keeps_its_data
from tests.scenarios.test_tls import (
    pair,
    secured,
    test_a_new_certificate_is_used_and_a_half_written_one_is_not,
    test_plain_http_is_told_to_use_https,
)

__all__ = [
    "pair",
    "secured",
    "test_a_browser_gets_the_page_and_then_the_app",
    "test_a_client_that_leaves_while_the_app_works_is_no_longer_in_flight",
    "test_a_full_hold_refuses_at_once_and_says_when_to_come_back",
    "test_a_keep_holds_off_the_sleep_until_it_is_ended",
    "test_a_new_certificate_is_used_and_a_half_written_one_is_not",
    "test_a_replica_never_has_more_in_flight_than_it_may",
    "test_a_second_signal_waits_for_nobody",
    "test_a_session_outlives_sleep_and_keeps_its_data",
    "test_an_answer_on_its_way_is_activity",
    "test_asking_for_the_status_neither_wakes_nor_keeps_awake",
    "test_comment_lines_keep_a_waiting_event_stream_alive",
    "test_concurrency_scales_out_and_back_in_without_an_error",
    "test_every_held_request_has_an_ending_in_the_ledger",
    "test_interim_responses_keep_a_waiting_connection_alive",
    "test_no_connection_to_the_app_outlives_the_pause",
    "test_plain_http_is_told_to_use_https",
    "test_replicas_that_leave_finish_their_requests",
    "test_show_errors_puts_the_last_words_of_the_app_into_the_answer",
    "test_the_app_can_keep_itself_awake",
    "test_try_now_is_heard_before_the_backoff_has_passed",
]


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every gateway have two, whatever its file says."""
    monkeypatch.setenv("WAKEGATE_WORKERS", "2")

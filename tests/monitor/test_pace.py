"""What clients may cost."""

from monitor.pace import CHARACTERS_PER_SECOND, Allowance, interval_seconds


def test_the_more_clients_there_are_the_rarer_are_their_frames() -> None:
    assert interval_seconds(1) == interval_seconds(25) == 0.05
    assert interval_seconds(200) == 0.4


def test_all_clients_together_are_sent_what_a_process_may_spend() -> None:
    allowance = Allowance(now=0.0)
    allowance.spend(allowance.characters(100, now=0.0))
    assert allowance.characters(100, now=1.0) == CHARACTERS_PER_SECOND // 100


def test_catching_up_costs_a_second_at_most_afterwards() -> None:
    allowance = Allowance(now=0.0)
    allowance.spend(20_000_000)
    assert allowance.characters(100, now=1.0) == 0
    assert allowance.characters(100, now=2.5) > 0

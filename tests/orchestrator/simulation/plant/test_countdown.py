from orchestrator.simulation.plant.countdown import Countdown


def test_a_countdown_reverts_exactly_once() -> None:
    countdown = Countdown()
    countdown.start(2)

    assert [countdown.advance(0.75) for _ in range(5)] == [False, False, True, False, False]


def test_starting_again_starts_from_the_beginning() -> None:
    countdown = Countdown()
    countdown.start(2)
    countdown.advance(1.5)
    countdown.start(2)

    assert not countdown.advance(1.5)
    assert countdown.advance(0.5)


def test_zero_seconds_means_never() -> None:
    countdown = Countdown()
    countdown.start(2)
    countdown.start(0)

    assert not countdown.advance(1e9)

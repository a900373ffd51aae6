import pytest

from rl_hub.cli import main
from rl_hub.errors import CommandError
from rl_hub.settings import GIB, MIB, Limits, Settings


def test_sqlite_in_the_folder_is_the_default(tmp_path):
    assert Settings(tmp_path).resolved_database_url == f"sqlite:///{tmp_path / 'hub.sqlite'}"


def test_another_database_is_taken_as_it_is(tmp_path):
    url = "postgresql+psycopg://hub@localhost/hub"
    assert Settings(tmp_path, url).resolved_database_url == url


def test_quotas_are_given_by_name_and_size():
    limits = Limits().with_quotas(["file=1.5G", "user = 300 MiB", "repository=10"])
    assert (limits.file_bytes, limits.user_bytes, limits.repository_bytes) == (3 * GIB // 2, 300 * MIB, 10)


@pytest.mark.parametrize("quota", ["file", "file=", "file=much", "xorb=1G", "file=-1G", "file=1X", "=1G"])
def test_a_quota_that_cannot_be_read_is_refused(quota):
    with pytest.raises(CommandError, match="like file=2G"):
        Limits().with_quotas([quota])


def test_the_command_line_tells_a_wrong_quota_in_a_sentence(tmp_path, capsys):
    assert main(["--data", str(tmp_path), "--limit", "file=big", "user", "list"]) == 2
    assert "A limit is given like file=2G" in capsys.readouterr().err

// SPDX-License-Identifier: Apache-2.0

using Xunit;

namespace Weft.Bench.Tests;

public sealed class BenchOptionsTests
{
    [Fact]
    public void All_is_every_row_but_the_one_that_compares_weft_with_itself()
    {
        var options = Parse("all");
        Assert.Equal(Suite.Names.Where(name => name != Suite.CompareIo), options.Rows);
        Assert.Equal((5, 2), (options.Rounds, options.Seconds));
    }

    [Fact]
    public void Rows_are_measured_in_the_suite_s_order_with_the_times_that_were_asked_for()
    {
        var options = Parse("pair", "hop", "--quick", "--seconds", "3", "--haproxy", "/opt/haproxy");
        Assert.Equal(["hop", "pair"], options.Rows);
        Assert.Equal((1, 3), (options.Rounds, options.Seconds));
        Assert.Equal("/opt/haproxy", options.Haproxy);
        Assert.Null(options.Envoy);
    }

    [Fact]
    public void The_environment_names_newer_peers_and_options_go_before_it()
    {
        Assert.Equal("/e", BenchOptions.Parse(["hop"], Suite.Names, name => name == "WEFT_BENCH_ENVOY" ? "/e" : null).Envoy);
        Assert.Equal("/own", BenchOptions.Parse(["hop", "--envoy", "/own"], Suite.Names, name => "/e").Envoy);
    }

    [Theory]
    [InlineData("hopp", "'hopp' is neither")]
    [InlineData("--rounds 0", "from 1 to 1000")]
    [InlineData("--rounds 1001", "from 1 to 1000")]
    [InlineData("--out", "'--out' needs a value")]
    public void What_is_not_understood_is_named(string arguments, string message) =>
        Assert.Contains(message, Assert.Throws<BenchException>(() => Parse(arguments.Split(' '))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void Rounds_may_be_1_to_1000(int rounds) =>
        Assert.Equal(rounds, Parse("hop", "--rounds", rounds.ToString(System.Globalization.CultureInfo.InvariantCulture)).Rounds);

    private static BenchOptions Parse(params string[] arguments) => BenchOptions.Parse(arguments, Suite.Names, _ => null);
}

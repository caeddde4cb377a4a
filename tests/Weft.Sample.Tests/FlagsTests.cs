// SPDX-License-Identifier: Apache-2.0

using Weft.Sample.Serve;

namespace Weft.Sample.Tests;

public sealed class FlagsTests
{
    [Fact]
    public void A_flag_wins_over_the_environment()
    {
        var options = ServeOptions.Parse(["--port=1234"], name => name is "PORT" ? "99" : name is "VERSION" ? "v7" : null, "web");
        Assert.Equal(1234, options.Port);
        Assert.Equal("v7", options.Version);
        Assert.Equal("web", options.Name);
    }

    [Theory]
    [InlineData("20ms±10", 10, 30)]
    [InlineData("20ms+-10ms", 10, 30)]
    [InlineData("1s", 1000, 1000)]
    [InlineData("5ms±50", 0, 55)]
    public void Latency_varies_within_its_spread(string text, double least, double most)
    {
        var latency = Latency.Parse("--latency", text);
        var random = new Random(3);
        for (var i = 0; i < 100; i++)
        {
            Assert.InRange(latency.Next(random).TotalMilliseconds, least, most);
        }
    }

    [Theory]
    [InlineData("--colour", "red")]
    [InlineData("--port", "70000")]
    [InlineData("--latency", "fast")]
    [InlineData("--fail-rate", "150%")]
    [InlineData("--calls", "https://reviews/")]
    public void What_cannot_be_meant_is_refused_with_the_flag_or_value_named(string flag, string value)
    {
        var wrong = Assert.Throws<UsageException>(() => ServeOptions.Parse([flag, value], _ => null, "web"));
        Assert.True(wrong.Message.Contains(flag, StringComparison.Ordinal) || wrong.Message.Contains(value, StringComparison.Ordinal), wrong.Message);
    }
}

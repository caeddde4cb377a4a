// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Sample.Load;
using Weft.Sample.Tests.Serve;

namespace Weft.Sample.Tests.Load;

public sealed class LoadTests
{
    [Fact]
    public async Task A_run_counts_answers_and_the_values_of_a_field()
    {
        await using var sample = new RunningSample();
        var output = new StringWriter();
        var code = await LoadVerb.RunAsync(["--target", sample.Url.ToString(), "--requests", "300", "--count", "version"], output, CancellationToken.None);
        Assert.Equal(0, code);
        Assert.Matches(@"^total  300 requests  [0-9.]+/s  200: 300  p50 [0-9.]+ms  p99 [0-9.]+ms  v2: 300 \(100\.0%\)\n$", output.ToString());
    }

    [Fact]
    public async Task Failures_give_an_exit_code()
    {
        await using var sample = new RunningSample("--status", "503");
        var output = new StringWriter();
        Assert.Equal(1, await LoadVerb.RunAsync([sample.Url.ToString(), "--requests", "3"], output, CancellationToken.None));
        Assert.Contains("503: 3", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"service":"a","version":"v2","calls":[{"version":"v1"}]}""", "v2")]
    [InlineData("""{"calls":[{"version":"v1"}],"version":3}""", "3")]
    [InlineData("""{"calls":[{"version":"v1"}]}""", "-")]
    [InlineData("<html>", "-")]
    public void Only_a_field_at_the_top_counts(string body, string value) =>
        Assert.Equal(value, LoadRun.ValueOf(Encoding.UTF8.GetBytes(body), "version"));

    [Fact]
    public void Percentiles_are_within_their_step()
    {
        var report = new LoadReport();
        for (var i = 1; i <= 100; i++)
        {
            report.Add("200", null, TimeSpan.FromMilliseconds(i));
        }

        Assert.Matches(@"100 requests  50\.0/s  200: 100  p50 (49|50|51)\.\dms  p99 (9[789]|10[01])\.\dms", report.Format(TimeSpan.FromSeconds(2)));
    }
}

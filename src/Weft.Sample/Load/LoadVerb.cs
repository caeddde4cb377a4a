// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text.Json;
using Weft.Sample.Http;

namespace Weft.Sample.Load;

/// <summary><c>weft-sample load</c>: sends requests at a steady rate, or as fast as asked, and counts what comes back.</summary>
internal static class LoadVerb
{
    private static readonly string[] _valued =
        ["--target", "--rate", "--concurrency", "--duration", "--requests", "--report", "--count", "--timeout", "-H"];

    public static async Task<int> RunAsync(IEnumerable<string> args, TextWriter output, CancellationToken stop)
    {
        var flags = Flags.Parse(args, _valued, ["--fresh"], Environment.GetEnvironmentVariable);
        var target = flags.Text("--target", "TARGET") ?? flags.Rest.FirstOrDefault()
            ?? throw new UsageException("Which address? weft-sample load --target http://web/");
        var requests = flags.Number("--requests", int.MaxValue, 1, int.MaxValue, "REQUESTS");
        var run = new LoadRun
        {
            Call = Call.Get(Call.ParseUrl(target), flags.Headers()),
            // A number of requests alone means: as fast as they go.
            Rate = flags.Number("--rate", requests < int.MaxValue ? 0 : 20, 0, 100_000, "RATE"),
            Concurrency = flags.Number("--concurrency", 16, 1, 4096, "CONCURRENCY"),
            Requests = requests,
            Timeout = flags.Duration("--timeout", TimeSpan.FromSeconds(10)),
            Field = flags.Text("--count", "COUNT"),
            Fresh = flags.Has("--fresh"),
        };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (flags.Text("--duration", "DURATION") is { } duration)
        {
            limit.CancelAfter(Durations.Parse("--duration", duration));
        }

        return await run.RunAsync(output, flags.Duration("--report", TimeSpan.FromSeconds(10), "REPORT"), TimeProvider.System, limit.Token);
    }
}

/// <summary>One run of the load generator: an open loop, so that a slow server does not slow the questions down.</summary>
internal sealed class LoadRun
{
    public required Call Call { get; init; }

    /// <summary>Requests a second; 0 means as fast as <see cref="Concurrency"/> allows.</summary>
    public required int Rate { get; init; }

    public required int Concurrency { get; init; }

    public required int Requests { get; init; }

    public required TimeSpan Timeout { get; init; }

    public string? Field { get; init; }

    public bool Fresh { get; init; }

    public async Task<int> RunAsync(TextWriter output, TimeSpan every, TimeProvider clock, CancellationToken stop)
    {
        var lately = new LoadReport();
        var total = new LoadReport();
        using var pool = new CallPool(reuse: !Fresh);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var reports = ReportAsync(output, lately, every, clock, ended.Token);
        var began = clock.GetTimestamp();
        var left = Requests;
        var sent = 0;
        var workers = new Task[Concurrency];
        for (var i = 0; i < workers.Length; i++)
        {
            workers[i] = WorkAsync();
        }

        await Task.WhenAll(workers);
        await ended.CancelAsync();
        await reports;
        await output.WriteAsync("total  " + total.Format(clock.GetElapsedTime(began)) + "\n");
        await output.FlushAsync(CancellationToken.None);
        return total.Failures == 0 ? 0 : 1;

        async Task WorkAsync()
        {
            while (!stop.IsCancellationRequested && Interlocked.Decrement(ref left) >= 0)
            {
                if (Rate > 0 && !await WaitTurnAsync(began, Interlocked.Increment(ref sent) - 1, clock, stop))
                {
                    return;
                }

                await AskAsync(pool, clock, lately, total);
            }
        }
    }

    private async Task<bool> WaitTurnAsync(long began, int index, TimeProvider clock, CancellationToken stop)
    {
        var due = TimeSpan.FromSeconds((double)index / Rate) - clock.GetElapsedTime(began);
        if (due <= TimeSpan.Zero)
        {
            return !stop.IsCancellationRequested;
        }

        try
        {
            await Task.Delay(due, clock, stop);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task AskAsync(CallPool pool, TimeProvider clock, LoadReport lately, LoadReport total)
    {
        var began = clock.GetTimestamp();
        // A request that has begun is finished and counted even when the run ends.
        using var limit = new CancellationTokenSource(Timeout, clock);
        string outcome;
        string? value = null;
        try
        {
            var answer = await pool.AskAsync(Call, limit.Token);
            outcome = answer.Status.ToString(System.Globalization.CultureInfo.InvariantCulture);
            value = Field is null ? null : ValueOf(answer.Body, Field);
        }
        catch (OperationCanceledException)
        {
            outcome = "timeout";
        }
        catch (SocketException failed)
        {
            outcome = failed.SocketErrorCode.ToString();
        }
        catch (Exception failed) when (failed is IOException or InvalidDataException)
        {
            outcome = "broken";
        }

        var took = clock.GetElapsedTime(began);
        lately.Add(outcome, value, took);
        total.Add(outcome, value, took);
    }

    private static async Task ReportAsync(TextWriter output, LoadReport lately, TimeSpan every, TimeProvider clock, CancellationToken ct)
    {
        try
        {
            while (true)
            {
                await Task.Delay(every, clock, ct);
                await output.WriteAsync(lately.Format(every) + "\n");
                await output.FlushAsync(ct);
                lately.Clear();
            }
        }
        catch (OperationCanceledException)
        {
            // The total follows.
        }
    }

    /// <summary>The text of a field at the top of a JSON answer, or <c>-</c>.</summary>
    internal static string ValueOf(byte[] body, string field)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1)
                {
                    var found = reader.ValueTextEquals(field);
                    reader.Read();
                    if (found)
                    {
                        return reader.TokenType == JsonTokenType.String ? reader.GetString()! : System.Text.Encoding.UTF8.GetString(reader.ValueSpan);
                    }

                    reader.Skip();
                }
            }
        }
        catch (JsonException)
        {
            // Not JSON: it has no such field.
        }

        return "-";
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Weft.Sample.Http;

namespace Weft.Sample.Serve;

/// <summary>Decides what each path answers.</summary>
internal sealed class Answers(ServeOptions options, TimeProvider clock, Random random) : IAnswering, IDisposable
{
    private const int MaxEchoBytes = 64 * 1024;

    // What a tracing system or a demo needs to see on the next hop; a service that drops them cuts the trace in two.
    private static readonly string[] _passedOn =
    [
        "x-request-id", "traceparent", "tracestate", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
        "x-ot-span-context", "x-cloud-trace-context", "grpc-trace-bin", "baggage", "authorization", "end-user", "user-agent",
    ];

    private readonly CallPool _pool = new(reuse: true);
    private readonly Lock _turn = new();

    public void Dispose() => _pool.Dispose();

    public async Task<Answer> AnswerAsync(Message request, CancellationToken ct)
    {
        var path = request.Path;
        if (path is "/healthz" or "/readyz")
        {
            return Answer.Text(200, "ok\n");
        }

        if (path == "/echo")
        {
            return Json(200, writer => WriteEcho(writer, request));
        }

        if (path.StartsWith("/status/", StringComparison.Ordinal))
        {
            return int.TryParse(path.AsSpan(8), NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 200 and <= 599
                ? Answer.Text(status, $"{status}\n")
                : Answer.Text(400, $"'{path[8..]}' is not a status from 200 to 599.\n");
        }

        if (path.StartsWith("/delay/", StringComparison.Ordinal))
        {
            return await DelayAsync(path[7..], ct);
        }

        if (options.Page is { } title && path == "/" && request.Header("accept") != "application/json")
        {
            return new Answer(200, "text/html; charset=utf-8", FrontPage.Render(title, options));
        }

        return await WorkAsync(request, ct);
    }

    private static async Task<Answer> DelayWithAsync(TimeSpan wait, TimeProvider clock, CancellationToken ct)
    {
        await Task.Delay(wait, clock, ct);
        return Answer.Text(200, $"waited {wait.TotalMilliseconds:0}ms\n");
    }

    private async Task<Answer> DelayAsync(string text, CancellationToken ct)
    {
        try
        {
            return await DelayWithAsync(Durations.Parse("/delay/", text), clock, ct);
        }
        catch (UsageException wrong)
        {
            return Answer.Text(400, wrong.Message + "\n");
        }
    }

    private async Task<Answer> WorkAsync(Message request, CancellationToken ct)
    {
        TimeSpan wait;
        bool fails;
        lock (_turn)
        {
            wait = options.Latency.Next(random);
            fails = random.NextDouble() < options.FailRate;
        }

        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, clock, ct);
        }

        var calls = fails || options.Calls.Count == 0 ? [] : await Task.WhenAll(options.Calls.Select(url => CallAsync(url, request, ct)));
        var status = fails ? 500 : options.Status;
        if (options.Require && calls.Any(call => call.Status is < 200 or >= 400))
        {
            status = 502;
        }

        return Json(status, writer => WriteWork(writer, request, fails, calls));
    }

    private async Task<CallResult> CallAsync(Uri url, Message request, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(options.CallTimeout);
        try
        {
            var headers = new List<KeyValuePair<string, string>> { new("accept", "application/json") };
            foreach (var name in _passedOn)
            {
                if (request.Header(name) is { } value)
                {
                    headers.Add(new(name, value));
                }
            }

            var answer = await _pool.AskAsync(Call.Get(url, headers), limit.Token);
            return new CallResult(url, answer.Status, clock.GetElapsedTime(began), answer.Body, null);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new CallResult(url, 0, clock.GetElapsedTime(began), [], $"no answer within {options.CallTimeout.TotalSeconds:0.###}s");
        }
        catch (Exception failed) when (failed is SocketException or IOException or InvalidDataException)
        {
            return new CallResult(url, 0, clock.GetElapsedTime(began), [], failed.Message);
        }
    }

    private void WriteWork(Utf8JsonWriter writer, Message request, bool failed, IReadOnlyList<CallResult> calls)
    {
        writer.WriteString("service", options.Name);
        writer.WriteString("version", options.Version);
        writer.WriteString("pod", options.Pod);
        writer.WriteString("path", request.Target);
        if (failed)
        {
            writer.WriteString("error", "This answer fails on purpose (--fail-rate).");
        }

        writer.WriteStartObject("headers");
        foreach (var (name, value) in request.Headers)
        {
            if (IsOfInterest(name))
            {
                writer.WriteString(name.ToLowerInvariant(), value);
            }
        }

        writer.WriteEndObject();
        writer.WriteStartArray("calls");
        foreach (var call in calls)
        {
            call.Write(writer);
        }

        writer.WriteEndArray();
    }

    private static bool IsOfInterest(string name) =>
        name.StartsWith("x-", StringComparison.OrdinalIgnoreCase)
        || name.Equals("host", StringComparison.OrdinalIgnoreCase)
        || Array.Exists(_passedOn, known => known != "authorization" && known.Equals(name, StringComparison.OrdinalIgnoreCase));

    private void WriteEcho(Utf8JsonWriter writer, Message request)
    {
        writer.WriteString("service", options.Name);
        writer.WriteString("version", options.Version);
        writer.WriteString("pod", options.Pod);
        writer.WriteString("method", request.Method);
        writer.WriteString("path", request.Target);
        writer.WriteStartArray("headers");
        foreach (var (name, value) in request.Headers)
        {
            writer.WriteStringValue($"{name}: {value}");
        }

        writer.WriteEndArray();
        writer.WriteNumber("bodyBytes", request.Body.Length);
        writer.WriteString("body", Encoding.UTF8.GetString(request.Body.AsSpan(0, Math.Min(request.Body.Length, MaxEchoBytes))));
    }

    private static Answer Json(int status, Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream(512);
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return new Answer(status, "application/json", stream.ToArray());
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Sample.Http;
using Weft.Sample.Serve;

namespace Weft.Sample.StandIns;

/// <summary>Istio's helloworld: <c>/hello</c> says version and pod.</summary>
internal sealed class HelloWorld(string version, string pod) : IAnswering
{
    public Task<Answer> AnswerAsync(Message request, CancellationToken ct) => Task.FromResult(request.Path switch
    {
        "/hello" => Answer.Text(200, $"Hello version: {version}, instance: {pod}\n"),
        "/health" => Answer.Text(200, "Helloworld is healthy"),
        _ => Answer.Text(404, "There is /hello and /health here.\n"),
    });
}

/// <summary>http-echo: the same words to everybody.</summary>
internal sealed class FixedText(string text) : IAnswering
{
    public Task<Answer> AnswerAsync(Message request, CancellationToken ct) =>
        Task.FromResult(request.Path == "/health" ? new Answer(200, "application/json", "{\"status\":\"ok\"}\n"u8.ToArray()) : Answer.Text(200, text + "\n"));
}

/// <summary>fortio's server: the body comes back, with the status and after the delay that the question asks for.</summary>
internal sealed class BodyEcho(TimeProvider clock) : IAnswering
{
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(30);

    public async Task<Answer> AnswerAsync(Message request, CancellationToken ct)
    {
        var query = request.Query.ToList();
        var status = 200;
        try
        {
            foreach (var (name, value) in query)
            {
                if (name == "status" && !(int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= 200 and <= 599))
                {
                    return Answer.Text(400, $"'{value}' is not a status from 200 to 599.\n");
                }

                if (name == "delay")
                {
                    var wait = Durations.Parse("delay", value);
                    await Task.Delay(wait < _longest ? wait : _longest, clock, ct);
                }
            }
        }
        catch (UsageException wrong)
        {
            return Answer.Text(400, wrong.Message + "\n");
        }

        if (request.Path == "/debug")
        {
            return Answer.Text(status, $"{request.Method} {request.Target} from {request.Peer}\n\n{string.Concat(request.Headers.Select(header => $"{header.Key}: {header.Value}\n"))}\nbody:\n\n{Encoding.UTF8.GetString(request.Body)}\n");
        }

        return new Answer(status, request.Header("content-type") ?? "text/plain; charset=utf-8", request.Body);
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>
/// The hostile requests of tests/cases/hostile through a running proxy: what the client is answered, whether its connection stays, and
/// what exactly the server behind the proxy saw. One proxy and one server serve all cases.
/// </summary>
public sealed class HostileCaseTests
{
    private const string Marker = "GET /marker HTTP/1.1\r\nHost: a.test\r\n\r\n";

    public static TheoryData<string> Tables() => HostileTable.Find("http1");

    [Theory]
    [MemberData(nameof(Tables))]
    public void Each_case_is_refused_or_forwarded_as_exactly_one_thing(string path)
    {
        using var origin = new RecordingOrigin();
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, TrafficDirection.Inbound, Plans.Forward("origin"))
            .With(Plans.Cluster("origin", origin.Port)));
        var file = CaseFile.Load(path);
        var understood = file["parser"].TrimEnd('\n').Split('\n').ToDictionary(line => line[..3], line => line[4..].Split(" | "));
        var verdicts = new StringBuilder();
        foreach (var row in HostileTable.Rows(file))
        {
            verdicts.Append(row.Number).Append(' ').Append(Play(port, origin, row.Bytes, understood[row.Number])).Append('\n');
        }

        file.Check(("proxy", verdicts.ToString()));
    }

    /// <summary>How the parser understands the bytes says how many answers to wait for; what they are, and what was forwarded, is found out.</summary>
    private static string Play(int port, RecordingOrigin origin, byte[] bytes, string[] understood)
    {
        using var client = Peer.Connect(port);
        client.Write(bytes);
        var answers = new List<string>();
        var forwarded = new List<string>();
        foreach (var word in understood)
        {
            if (word == "wait")
            {
                if (Encoding.Latin1.GetString(bytes).Contains("100-continue", StringComparison.Ordinal))
                {
                    answers.Add(Status(client.ReadHead()!));
                }

                client.EndOutput();
                Assert.Equal("", client.ReadToEnd());
                return Verdict("waits");
            }

            var answer = client.ReadMessage()!;
            answers.Add(Status(answer));
            if (Peer.Header(answer, "server") is not null && answers[^1] == "200")
            {
                forwarded.Add(origin.Take());
            }

            if (Peer.Header(answer, "connection") == "close")
            {
                Assert.Equal("", client.ReadToEnd());
                return Verdict("closed");
            }
        }

        client.Write(Marker);
        Assert.EndsWith("\r\n\r\nok", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal("GET /marker HTTP/1.1", origin.Take());
        return Verdict("open");

        string Verdict(string connection) => $"{string.Join(", ", [.. answers, connection])}"
            + (forwarded.Count == 0 ? "" : $" <- {string.Join(" <- ", forwarded)}");
    }

    private static string Status(string head) => head.Split(' ')[1];
}

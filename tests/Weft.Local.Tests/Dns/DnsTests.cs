// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Local.Dns;
using Weft.Testing;
using Xunit;

namespace Weft.Local.Tests.Dns;

public sealed class DnsTests
{
    private static readonly JsonObject[] _services =
    [
        Parse("""{"metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"10.96.1.1","ports":[{"name":"http","port":80}]}}"""),
        Parse("""{"metadata":{"name":"both","namespace":"shop"},"spec":{"clusterIP":"10.96.1.2","clusterIPs":["10.96.1.2","fd00:10:96::22"],"ports":[{"name":"http","port":80}]}}"""),
        Parse("""{"metadata":{"name":"six","namespace":"shop"},"spec":{"clusterIP":"fd00:10:96::12","clusterIPs":["fd00:10:96::12"],"ports":[{"name":"http","port":80}]}}"""),
        Parse("""{"metadata":{"name":"db","namespace":"shop"},"spec":{"clusterIP":"None","ports":[{"name":"sql","port":5432}]}}"""),
        Parse("""{"metadata":{"name":"far","namespace":"shop"},"spec":{"type":"ExternalName","externalName":"web.shop.svc.cluster.local"}}"""),
        Parse("""{"metadata":{"name":"late","namespace":"shop"},"spec":{"clusterIP":"None","ports":[{"name":"dns","port":53,"protocol":"UDP"}]}}"""),
        Parse("""{"metadata":{"name":"early","namespace":"shop"},"spec":{"clusterIP":"None","publishNotReadyAddresses":true,"ports":[{"name":"dns","port":53,"protocol":"UDP"}]}}"""),
        Parse("""{"metadata":{"name":"out","namespace":"shop"},"spec":{"type":"ExternalName","externalName":"www.example.org"}}"""),
        Parse("""{"metadata":{"name":"loop","namespace":"shop"},"spec":{"type":"ExternalName","externalName":"loop.shop.svc.cluster.local"}}"""),
    ];

    private static readonly JsonObject[] _slices =
    [
        Parse("""
            {"metadata":{"name":"db-1","namespace":"shop","labels":{"kubernetes.io/service-name":"db"}},"ports":[{"name":"sql","port":5432}],
             "endpoints":[{"addresses":["10.244.0.7"],"hostname":"db-0"},{"addresses":["10.244.0.8"],"conditions":{"ready":false}},{"addresses":["10.244.0.9"]}]}
            """),
        Parse("""
            {"metadata":{"name":"db-2","namespace":"shop","labels":{"kubernetes.io/service-name":"db"}},"addressType":"IPv6","ports":[{"name":"sql","port":5432}],
             "endpoints":[{"addresses":["fd00::7"],"hostname":"six"}]}
            """),
        Parse("""
            {"metadata":{"name":"late-1","namespace":"shop","labels":{"kubernetes.io/service-name":"late"}},"ports":[{"name":"dns","port":53,"protocol":"UDP"}],
             "endpoints":[{"addresses":["10.244.0.11"],"conditions":{"ready":false}}]}
            """),
        Parse("""
            {"metadata":{"name":"early-1","namespace":"shop","labels":{"kubernetes.io/service-name":"early"}},"ports":[{"name":"dns","port":53,"protocol":"UDP"}],
             "endpoints":[{"addresses":["10.244.0.12"],"conditions":{"ready":false}}]}
            """),
    ];

    [Theory]
    [InlineData("web.shop.svc.cluster.local", DnsType.A, 0, "10.96.1.1")]
    [InlineData("WEB.Shop.svc.cluster.local", DnsType.A, 0, "10.96.1.1")]
    [InlineData("web.shop.svc.cluster.local", DnsType.Aaaa, 0, "")]
    [InlineData("both.shop.svc.cluster.local", DnsType.A, 0, "10.96.1.2")]
    [InlineData("both.shop.svc.cluster.local", DnsType.Aaaa, 0, "fd00:10:96::22")]
    [InlineData("six.shop.svc.cluster.local", DnsType.A, 0, "")]
    [InlineData("six.shop.svc.cluster.local", DnsType.Aaaa, 0, "fd00:10:96::12")]
    [InlineData("2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa", DnsType.Ptr, 0, "six.shop.svc.cluster.local")]
    [InlineData("3.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa", DnsType.Ptr, 3, "")]
    [InlineData("fd00-10-244--5.shop.pod.cluster.local", DnsType.Aaaa, 0, "fd00:10:244::5")]
    [InlineData("fd00-10-244--5.shop.pod.cluster.local", DnsType.A, 0, "")]
    [InlineData("1.shop.pod.cluster.local", DnsType.A, 3, "")]
    [InlineData("db.shop.svc.cluster.local", DnsType.A, 0, "10.244.0.7 10.244.0.9")]
    [InlineData("db-0.db.shop.svc.cluster.local", DnsType.A, 0, "10.244.0.7")]
    [InlineData("10-244-0-9.db.shop.svc.cluster.local", DnsType.A, 0, "10.244.0.9")]
    [InlineData("_http._tcp.web.shop.svc.cluster.local", DnsType.Srv, 0, "web.shop.svc.cluster.local:80")]
    [InlineData("far.shop.svc.cluster.local", DnsType.A, 0, "web.shop.svc.cluster.local 10.96.1.1")]
    [InlineData("loop.shop.svc.cluster.local", DnsType.A, 0, "")]
    [InlineData("10-244-0-5.shop.pod.cluster.local", DnsType.A, 0, "10.244.0.5")]
    [InlineData("shop.svc.cluster.local", DnsType.A, 0, "")]
    [InlineData("cluster.local", DnsType.A, 0, "")]
    [InlineData("dns-version.cluster.local", DnsType.Txt, 0, "1.1.0")]
    [InlineData("_sql._tcp.db.shop.svc.cluster.local", DnsType.Srv, 0, "db-0.db.shop.svc.cluster.local:5432 10-244-0-9.db.shop.svc.cluster.local:5432 six.db.shop.svc.cluster.local:5432")]
    [InlineData("_sql._udp.db.shop.svc.cluster.local", DnsType.Srv, 3, "")]
    [InlineData("_tcp.web.shop.svc.cluster.local", DnsType.Srv, 0, "")]
    [InlineData("db.shop.svc.cluster.local", DnsType.Aaaa, 0, "fd00::7")]
    [InlineData("six.db.shop.svc.cluster.local", DnsType.Aaaa, 0, "fd00::7")]
    [InlineData("six.db.shop.svc.cluster.local", DnsType.A, 0, "")]
    [InlineData("10-244-0-8.db.shop.svc.cluster.local", DnsType.A, 3, "")]
    [InlineData("late.shop.svc.cluster.local", DnsType.A, 3, "")]
    [InlineData("_dns._udp.late.shop.svc.cluster.local", DnsType.Srv, 3, "")]
    [InlineData("web.shop.svc.cluster.local", (DnsType)15, 0, "")]
    [InlineData("web.shop.svc.cluster.local", (DnsType)65, 0, "")]
    [InlineData("nobody.shop.svc.cluster.local", (DnsType)65, 3, "")]
    [InlineData("_dns._udp.early.shop.svc.cluster.local", DnsType.Srv, 0, "10-244-0-12.early.shop.svc.cluster.local:53")]
    [InlineData("early.shop.svc.cluster.local", DnsType.A, 0, "10.244.0.12")]
    [InlineData("out.shop.svc.cluster.local", DnsType.A, 0, "www.example.org")]
    [InlineData("out.shop.svc.cluster.local", DnsType.Cname, 0, "www.example.org")]
    [InlineData("db-0.web.shop.svc.cluster.local", DnsType.A, 3, "")]
    [InlineData("web.shop", DnsType.A, 2, "")]
    [InlineData("9.0.244.10.in-addr.arpa", DnsType.Ptr, 0, "10-244-0-9.db.shop.svc.cluster.local")]
    [InlineData("nobody.shop.svc.cluster.local", DnsType.A, 3, "")]
    [InlineData("web.other.svc.cluster.local", DnsType.Aaaa, 3, "")]
    [InlineData("1.1.96.10.in-addr.arpa", DnsType.Ptr, 0, "web.shop.svc.cluster.local")]
    [InlineData("7.0.244.10.in-addr.arpa", DnsType.Ptr, 0, "db-0.db.shop.svc.cluster.local")]
    [InlineData("1.1.96.10.in-addr.arpa", DnsType.A, 0, "")]
    [InlineData("99.0.244.10.in-addr.arpa", DnsType.Ptr, 3, "")]
    [InlineData("8.8.8.8.in-addr.arpa", DnsType.Ptr, 2, "")]
    [InlineData("web.shop.svc.cluster.local", DnsType.Srv, 0, "web.shop.svc.cluster.local:80")]
    [InlineData("example.org", DnsType.A, 2, "")]
    [InlineData("notcluster.local", DnsType.A, 2, "")]
    public async Task A_name_has_its_answer(string name, object type, int code, string wanted)
    {
        var query = Question(name, (DnsType)type);
        var answer = await Server().AnswerAsync(query, tcp: false, null, default);
        Assert.NotNull(answer);
        Assert.Equal(code, answer[3] & 0x0f);
        Assert.Equal(query[..2], answer[..2]);

        // "There is none" comes with the zone's authority and for how long it may be believed; every other answer without.
        var isOwn = NameTable.Covers(name.ToLowerInvariant());
        Assert.Equal(isOwn && wanted.Length == 0 ? 1 : 0, BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(8)));
        Assert.Equal(isOwn ? 0x04 : 0, answer[2] & 0x04);

        // The question comes back letter by letter, and the first record bears the name as it was asked for.
        Assert.Equal(query[12..], answer[12..query.Length]);
        if (wanted.Length > 0)
        {
            Assert.Equal((byte[])[0xc0, 0x0c], answer[query.Length..(query.Length + 2)]);
        }

        Assert.Equal(wanted.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(), Records(answer, query.Length).Order());
    }

    /// <summary>As a pod's resolver goes through its search list: fewer dots than ndots, so the list first, then the name itself.</summary>
    [Theory]
    [InlineData("web", "10.96.1.1", 1)]
    [InlineData("web.shop", "10.96.1.1", 2)]
    [InlineData("web.shop.svc", "10.96.1.1", 3)]
    [InlineData("db-0.db", "10.244.0.7", 1)]
    [InlineData("web.shop.svc.cluster.local", "10.96.1.1", 4)]
    [InlineData("web.other", "", 4)]
    public async Task A_short_name_is_found_by_the_search_list(string name, string wanted, int questions)
    {
        string[] list = ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"];
        var asked = 0;
        List<string> found = [];
        foreach (var full in list.Select(zone => $"{name}.{zone}").Append(name))
        {
            asked++;
            var query = Question(full, DnsType.A);
            var answer = (await Server().AnswerAsync(query, tcp: false, null, default))!;
            found = Records(answer, query.Length);

            // A resolver goes on only after "no such name"; an answer without records would end the search too early.
            if ((answer[3] & 0x0f) != (int)DnsCode.NoSuchName)
            {
                break;
            }
        }

        Assert.Equal((wanted, questions), (string.Join(' ', found), asked));
    }

    [Fact]
    public async Task Who_speaks_EDNS_is_answered_with_it_and_nobody_else()
    {
        var plain = Question("web.shop.svc.cluster.local", DnsType.A);
        Assert.Equal(0, BinaryPrimitives.ReadUInt16BigEndian((await Server().AnswerAsync(plain, tcp: false, null, default)).AsSpan(10)));
        byte[] extended = [.. plain, 0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0];
        extended[11] = 1;
        var answer = (await Server().AnswerAsync(extended, tcp: false, null, default))!;
        Assert.Equal(1, BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(10)));
        Assert.Equal((byte[])[0, 0, 41, DnsMessage.MaxUdpBytes >> 8, DnsMessage.MaxUdpBytes & 0xff, 0, 0, 0, 0, 0, 0], answer[^11..]);
        Assert.Equal(["10.96.1.1"], Records(answer, plain.Length));
    }

    [Fact]
    public async Task An_answer_that_is_too_long_says_so_over_udp_and_comes_whole_over_tcp()
    {
        var endpoints = string.Join(',', Enumerable.Range(1, 200).Select(i => $$"""{"addresses":["10.244.1.{{i}}"]}"""));
        var slice = Parse($$$"""{"metadata":{"name":"db-1","namespace":"shop","labels":{"kubernetes.io/service-name":"db"}},"endpoints":[{{{endpoints}}}]}""");
        var server = Server(slice);
        var query = Question("db.shop.svc.cluster.local", DnsType.A);
        var udp = await server.AnswerAsync(query, tcp: false, null, default);
        var tcp = await server.AnswerAsync(query, tcp: true, null, default);
        Assert.NotNull(udp);
        Assert.NotNull(tcp);
        Assert.True(udp.Length <= DnsMessage.PlainUdpBytes);
        Assert.Equal(0x02, udp[2] & 0x02);
        Assert.Equal(0x00, tcp[2] & 0x02);
        Assert.Equal(200, Records(tcp, query.Length).Count);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("0102", null)]
    [InlineData("010280000001000000000000", null)] // an answer
    [InlineData("010208000001000000000000", 4)] // another operation
    [InlineData("010200000000000000000000", 1)] // no question
    [InlineData("010200000001000000000000c00c00010001", 1)] // a pointer in the question
    [InlineData("010200000001000000000000056162", 1)] // a label longer than the message
    [InlineData("01020000000100000000000003612e620000010001", 1)] // a dot inside a label
    public async Task What_is_no_question_is_refused_or_ignored(string hex, int? code)
    {
        var answer = await Server().AnswerAsync(Convert.FromHexString(hex), tcp: false, null, default);
        Assert.Equal(code, answer is null ? null : answer[3] & 0x0f);
    }

    [Fact]
    public void Any_bytes_are_survived()
    {
        var server = Server();
        var driver = new FuzzDriver(
            [Question("web.shop.svc.cluster.local", DnsType.A), Question("_http._tcp.web.shop.svc.cluster.local", DnsType.Srv)],
            ["\x03web", "\x05local\0", "\xc0\x0c", "\0\x29\x10\0"]);
        var find = driver.Run(
            bytes =>
            {
                // Nothing is forwarded anywhere: the answer is there at once.
                var answer = server.AnswerAsync(bytes, tcp: false, null, default);
                Assert.True(answer.IsCompletedSuccessfully);
            },
            seed: 1,
            iterations: 20_000,
            TimeProvider.System);
        Assert.Null(find);
    }

    [Fact]
    public async Task The_host_s_resolvers_are_read_and_useless_ones_left_out()
    {
        var text = "# x\nnameserver 127.0.0.53\nnameserver ::1\nsearch a\n";
        Assert.Null(await UpstreamResolver.Parse(text).AskAsync(new byte[12], default));
    }

    private static DnsServer Server(params JsonObject[] slices) => Server(null, slices);

    private static DnsServer Server(DnsClients? clients, params JsonObject[] slices)
    {
        var server = new DnsServer([new IPEndPoint(IPAddress.Loopback, 53)], UpstreamResolver.Parse(""), clients ?? new DnsClients(), new Random(1), NullLogger.Instance);
        server.Apply(NameTable.Compile(_services, slices.Length > 0 ? slices : _slices));
        return server;
    }

    private static byte[] Question(string name, DnsType type)
    {
        var writer = new DnsWriter();
        writer.Bytes([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        writer.Name(name);
        writer.Number((ushort)type);
        writer.Number(1);
        return writer.ToArray();
    }

    /// <summary>The answer's records as text; it repeats the question, so they begin where the query ended.</summary>
    private static List<string> Records(byte[] answer, int position)
    {
        var records = new List<string>();
        for (var left = BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(6)); left > 0; left--)
        {
            _ = Name(answer, ref position);
            var type = (DnsType)BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(position));
            var length = BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(position + 8));
            position += 10;
            var inner = position + (type == DnsType.Srv ? 6 : 0);
            records.Add(type switch
            {
                DnsType.Txt => System.Text.Encoding.ASCII.GetString(answer, position + 1, answer[position]),
                DnsType.A or DnsType.Aaaa => new IPAddress(answer.AsSpan(position, length)).ToString(),
                DnsType.Srv => $"{Name(answer, ref inner)}:{BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(position + 4))}",
                _ => Name(answer, ref inner),
            });
            position += length;
        }

        return records;
    }

    private static string Name(byte[] bytes, ref int position)
    {
        var labels = new List<string>();
        while (bytes[position] != 0)
        {
            if (bytes[position] >= 0xc0)
            {
                int target = bytes[position + 1];
                position += 2;
                return Name(bytes, ref target);
            }

            labels.Add(System.Text.Encoding.ASCII.GetString(bytes, position + 1, bytes[position]));
            position += bytes[position] + 1;
        }

        position++;
        return string.Join('.', labels);
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
}

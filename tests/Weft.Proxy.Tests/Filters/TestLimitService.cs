// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using Weft.Proxy.Tests.Http2;
using Xunit;

namespace Weft.Proxy.Tests.Filters;

/// <summary>A rate-limit service on a real socket. Its messages are read and written by another library than the proxy's.</summary>
internal sealed class TestLimitService : IDisposable
{
    internal const int Ok = 1;
    internal const int TooMuch = 2;

    private readonly TestOrigin _origin;

    /// <param name="answer">From a question as text to the bytes of the answer; null leaves it unanswered.</param>
    internal TestLimitService(Func<string, byte[]?> answer) =>
        _origin = Http2Peer.Answering((peer, request) =>
        {
            var question = Read(Encoding.Latin1.GetBytes(request.Body.ToString()));
            Paths.Add(request.Head[":path"] + " " + request.Head["content-type"] + " " + request.Head["te"]);
            Questions.Add(question);
            if (answer(question) is not { } bytes)
            {
                return;
            }

            var frame = new byte[5 + bytes.Length];
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), bytes.Length);
            bytes.CopyTo(frame, 5);
            peer.SendHead(request, end: false, ":status: 200", "content-type: application/grpc");
            peer.Send(request, Encoding.Latin1.GetString(frame), end: false);
            peer.SendHead(request, end: true, "grpc-status: " + Status);
        });

    internal string Status { get; set; } = "0";

    internal int Port => _origin.Port;

    internal int Connections => _origin.Connections;

    /// <summary><c>domain: key=value,key=value; key=value</c>, in the order in which they came.</summary>
    internal ConcurrentBag<string> Questions { get; } = [];

    internal ConcurrentBag<string> Paths { get; } = [];

    public void Dispose() => _origin.Dispose();

    /// <summary>A RateLimitResponse with a code and more fields.</summary>
    internal static byte[] Answer(int code, params (int Field, byte[] Value)[] more) => Message(output =>
    {
        output.WriteTag(1, WireFormat.WireType.Varint);
        output.WriteEnum(code);
        foreach (var (field, value) in more)
        {
            Put(output, field, value);
        }
    });

    /// <summary>A header to add.</summary>
    internal static byte[] Header(string name, string value) => Message(output =>
    {
        Put(output, 1, Encoding.UTF8.GetBytes(name));
        Put(output, 2, Encoding.UTF8.GetBytes(value));
    });

    /// <summary>A DescriptorStatus: so many requests in a unit, so many left, reset in so many seconds.</summary>
    internal static byte[] Limit(int requests, int unit, int left, int seconds, string name = "") => Message(output =>
    {
        output.WriteTag(1, WireFormat.WireType.Varint);
        output.WriteEnum(Ok);
        Put(output, 2, Message(limit =>
        {
            limit.WriteTag(1, WireFormat.WireType.Varint);
            limit.WriteUInt32((uint)requests);
            limit.WriteTag(2, WireFormat.WireType.Varint);
            limit.WriteEnum(unit);
            if (name.Length > 0)
            {
                Put(limit, 3, Encoding.UTF8.GetBytes(name));
            }
        }));
        output.WriteTag(3, WireFormat.WireType.Varint);
        output.WriteUInt32((uint)left);
        Put(output, 4, new Google.Protobuf.WellKnownTypes.Duration { Seconds = seconds }.ToByteArray());
    });

    private static void Put(CodedOutputStream output, int field, byte[] value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(value));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            write(output);
        }

        return stream.ToArray();
    }

    private static string Read(byte[] body)
    {
        var (domain, descriptors) = ("", new List<string>());
        Assert.Equal(body.Length - 5, BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(1)));
        foreach (var (field, value) in Fields(body[5..]))
        {
            if (field == 1)
            {
                domain = Encoding.UTF8.GetString(value);
            }
            else
            {
                Assert.Equal(2, field);
                descriptors.Add(string.Join(',', Fields(value).Select(entry => string.Join('=', Fields(entry.Value).Select(part => Encoding.UTF8.GetString(part.Value))))));
            }
        }

        return $"{domain}: {string.Join("; ", descriptors)}";
    }

    private static List<(int Field, byte[] Value)> Fields(byte[] message)
    {
        var fields = new List<(int, byte[])>();
        var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag && tag != 0)
        {
            fields.Add((WireFormat.GetTagFieldNumber(tag), input.ReadBytes().ToByteArray()));
        }

        return fields;
    }
}

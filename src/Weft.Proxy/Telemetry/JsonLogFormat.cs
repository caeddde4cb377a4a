// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text;

namespace Weft.Proxy.Telemetry;

/// <summary>One JSON object a line with Istio's keys; null where there is nothing.</summary>
internal sealed class JsonLogFormat : AccessLogFormat
{
    /// <summary>What a JSON string may hold as it is: ASCII without controls, quotation mark and backslash.</summary>
    private static readonly SearchValues<byte> _plain =
        SearchValues.Create([.. Enumerable.Range(0x20, 0x7F - 0x20).Where(b => b is not '"' and not '\\').Select(b => (byte)b)]);

    public override void Write(LogLine line, in RequestRecord record)
    {
        line.Raw("{\"start_time\":\""u8);
        line.Time(record.StartUtc);
        line.Raw("\",\"method\":"u8);
        String(line, record.Method);
        line.Raw(",\"path\":"u8);
        String(line, record.Path);
        line.Raw(record.IsHttp2 ? ",\"protocol\":\"HTTP/2\""u8 : record.MinorVersion == 0 ? ",\"protocol\":\"HTTP/1.0\""u8 : ",\"protocol\":\"HTTP/1.1\""u8);
        Outcome(line, record.Status, record.Flags, record.Details);
        Sizes(line, record.RequestBytes, record.ResponseBytes, record.Duration);
        line.Raw(",\"upstream_service_time\":"u8);
        if (record.UpstreamServiceMs < 0)
        {
            line.Raw("null"u8);
        }
        else
        {
            line.Raw("\""u8);
            line.Number(record.UpstreamServiceMs);
            line.Raw("\""u8);
        }

        line.Raw(",\"x_forwarded_for\":"u8);
        String(line, record.ForwardedFor);
        line.Raw(",\"user_agent\":"u8);
        String(line, record.UserAgent);
        line.Raw(",\"request_id\":"u8);
        String(line, record.RequestId);
        line.Raw(",\"authority\":"u8);
        String(line, record.Authority);
        Connection(line, record.Connection, record.Route, record.ConnectionTermination, record.TransportFailure);
    }

    public override void Write(LogLine line, in TunnelRecord record)
    {
        line.Raw("{\"start_time\":\""u8);
        line.Time(record.StartUtc);
        line.Raw("\",\"method\":null,\"path\":null,\"protocol\":null"u8);
        Outcome(line, 0, record.Flags, record.Details);
        Sizes(line, record.ReceivedBytes, record.SentBytes, record.Duration);
        line.Raw(",\"upstream_service_time\":null,\"x_forwarded_for\":null,\"user_agent\":null"u8);
        line.Raw(",\"request_id\":null,\"authority\":null"u8);
        Connection(line, record.Connection, "", record.ConnectionTermination, record.TransportFailure);
    }

    private static void Outcome(LogLine line, int status, string flags, string details)
    {
        line.Raw(",\"response_code\":"u8);
        line.Number(status);
        line.Raw(",\"response_flags\":"u8);
        String(line, flags);
        line.Raw(",\"response_code_details\":"u8);
        String(line, details);
    }

    private static void Sizes(LogLine line, long received, long sent, TimeSpan duration)
    {
        line.Raw(",\"bytes_received\":"u8);
        line.Number(received);
        line.Raw(",\"bytes_sent\":"u8);
        line.Number(sent);
        line.Raw(",\"duration\":"u8);
        line.Number((long)duration.TotalMilliseconds);
    }

    private static void Connection(
        LogLine line, in ConnectionFactsRecord connection, string route, string termination, string transport)
    {
        line.Raw(",\"connection_termination_details\":"u8);
        String(line, termination);
        line.Raw(",\"upstream_transport_failure_reason\":"u8);
        String(line, transport);
        line.Raw(",\"upstream_host\":"u8);
        Address(line, connection.UpstreamHost);
        line.Raw(",\"upstream_cluster\":"u8);
        String(line, connection.Cluster);
        line.Raw(",\"upstream_local_address\":"u8);
        Address(line, connection.UpstreamLocal);
        line.Raw(",\"downstream_local_address\":"u8);
        Address(line, connection.DownstreamLocal);
        line.Raw(",\"downstream_remote_address\":"u8);
        Address(line, connection.DownstreamRemote);
        line.Raw(",\"requested_server_name\":"u8);
        String(line, connection.ServerName);
        line.Raw(",\"route_name\":"u8);
        String(line, route);
        line.Raw("}\n"u8);
    }

    private static void Address(LogLine line, Io.IpEndpoint address)
    {
        if (address.IsNone)
        {
            line.Raw("null"u8);
            return;
        }

        line.Raw("\""u8);
        line.Address(address);
        line.Raw("\""u8);
    }

    private static void String(LogLine line, string text)
    {
        Span<byte> bytes = stackalloc byte[LogLine.MaxField];
        var shown = text.AsSpan(0, Math.Min(text.Length, LogLine.MaxField / 3));
        String(line, bytes[..Encoding.UTF8.GetBytes(shown, bytes)]);
    }

    private static void String(LogLine line, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            line.Raw("null"u8);
            return;
        }

        // An escape takes six bytes; cut so that a field of nothing else stays within its limit.
        text = text[..Math.Min(text.Length, LogLine.MaxField / 6)];
        line.Raw("\""u8);
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAnyExcept(_plain);
            line.Raw(plain < 0 ? text : text[..plain]);
            text = plain < 0 ? default : text[plain..];
            if (!text.IsEmpty)
            {
                text = Special(line, text);
            }
        }

        line.Raw("\""u8);
    }

    /// <summary>Writes one character that is not plain; bytes that are no UTF-8 become the replacement character.</summary>
    private static ReadOnlySpan<byte> Special(LogLine line, ReadOnlySpan<byte> text)
    {
        if (text[0] < 0x80)
        {
            Span<byte> escape = stackalloc byte[6];
            "\\u00"u8.CopyTo(escape);
            escape[4] = "0123456789abcdef"u8[text[0] >> 4];
            escape[5] = "0123456789abcdef"u8[text[0] & 15];
            line.Raw(escape);
            return text[1..];
        }

        var status = Rune.DecodeFromUtf8(text, out _, out var consumed);
        line.Raw(status == OperationStatus.Done ? text[..consumed] : "\uFFFD"u8);
        return text[consumed..];
    }
}

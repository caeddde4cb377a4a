// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Proxy.Tls;

/// <summary>The connection behind a handshake of TLS 1.3: data, alerts, and the few messages that may still come (RFC 8446 §4.6, §5, §6).</summary>
internal sealed unsafe partial class TlsChannel
{
    /// <summary>Records in a row that carry no data, and messages in them; above this the peer only makes work.</summary>
    internal const int IdleRecordLimit = 32;

    private const byte AlertClose = 0;
    private const byte AlertUnexpected = 10;
    private const byte AlertBadRecord = 20;
    private const byte AlertTooLong = 22;
    private const byte AlertMalformed = 50;
    private const byte AlertCancelled = 90;

    private bool Seal(ReadOnlySpan<byte> bytes)
    {
        // Peers count records without data.
        if (_records!.IsClosed || bytes.IsEmpty)
        {
            return true;
        }

        return (!_records.MustTurnWritingKey || SealKeyUpdate()) && _engine.Seal(_records, RecordType.Data, bytes);
    }

    private bool SealKeyUpdate()
    {
        // The one message that the new key begins behind; the peer need not answer with one of its own.
        var sealing = _engine.Seal(_records!, RecordType.Handshake, [PostHandshake.KeyUpdate, 0, 0, 1, 0]);
        _records!.TurnWritingKey();
        _records.IsNewKeyAsked = false;
        return sealing;
    }

    private void ReadRecords(Span<byte> data)
    {
        // What is delivered may be records of a connection inside this one.
        var plain = _engine.EnterPlain();
        try
        {
            ReadRecords(data, plain);
        }
        finally
        {
            _engine.LeavePlain();
        }
    }

    private void ReadRecords(Span<byte> data, byte* plain)
    {
        var count = 0;
        byte wrong = 0;
        while (IsAlive && !_endSeen)
        {
            var record = TakeRecord(ref data, out wrong);
            if (record.IsEmpty)
            {
                break;
            }

            if (count + record.Length > TlsEngine.PlainSize)
            {
                Deliver(plain, ref count);
                if (!IsAlive)
                {
                    return;
                }
            }

            var length = _records!.Open(record, plain + count, out var type);
            _early.Free();
            if (length is > 0 and <= TlsRecords.LongestPlain && type == RecordType.Data && !_records.Messages.IsBegun)
            {
                _records.IdleRecords = 0;
                count += length;
                continue;
            }

            var content = plain + count;
            Deliver(plain, ref count);
            if (IsAlive)
            {
                OnOther(type, content, length);
            }
        }

        Deliver(plain, ref count);
        if (wrong != 0 && IsAlive)
        {
            FailWith(wrong, wrong == AlertTooLong ? "the peer sent a record that is too long" : "the peer sent a record that is none of TLS 1.3");
        }
    }

    /// <summary>The next whole record; empty if there is none, and then what there is of it is kept, or an alert says why there will be none.</summary>
    private Span<byte> TakeRecord(ref Span<byte> data, out byte wrong)
    {
        Complete(ref data);
        var from = _early.IsEmpty ? data : _early.Bytes;
        var length = TlsRecords.LengthOf(from);
        wrong = from.Length > 0 && from[0] != (byte)RecordType.Data ? AlertUnexpected : length < 0 ? AlertTooLong : (byte)0;
        if (wrong != 0)
        {
            return [];
        }

        if (length == 0 || length > from.Length)
        {
            if (_early.IsEmpty && !data.IsEmpty)
            {
                _early.Append(data);
                data = [];
            }

            return [];
        }

        if (_early.IsEmpty)
        {
            data = data[length..];
        }

        return from[..length];
    }

    /// <summary>Adds to the kept part of a record what it lacks, and nothing of the next one.</summary>
    private void Complete(ref Span<byte> data)
    {
        while (!_early.IsEmpty && !data.IsEmpty)
        {
            var known = TlsRecords.LengthOf(_early.Bytes);
            var missing = (known == 0 ? TlsRecords.HeaderLength : known) - _early.Length;
            if (missing <= 0)
            {
                return;
            }

            _early.Reserve(missing);
            var part = Math.Min(missing, data.Length);
            _early.Append(data[..part]);
            data = data[part..];
        }
    }

    private void Deliver(byte* plain, ref int count)
    {
        var length = count;
        count = 0;
        if (length > 0)
        {
            Handler?.OnData(new Span<byte>(plain, length));
        }
    }

    /// <param name="type">What the record is, if not data.</param>
    /// <param name="content">What it carries.</param>
    /// <param name="length">The length of that; -1 of a record that does not open.</param>
    private void OnOther(RecordType type, byte* content, int length)
    {
        if (length < 0)
        {
            FailWith(AlertBadRecord, "a record of the peer was changed on its way");
        }
        else if (length > TlsRecords.LongestPlain)
        {
            FailWith(AlertTooLong, "the peer sent a record that is too long");
        }
        else if (++_records!.IdleRecords > IdleRecordLimit)
        {
            FailWith(AlertUnexpected, $"the peer sent more than {IdleRecordLimit} records in a row without data");
        }
        else if (_records.Messages.IsBegun && type != RecordType.Handshake)
        {
            FailWith(AlertUnexpected, "the peer sent something else in the middle of a handshake message");
        }
        else if (type == RecordType.Alert)
        {
            OnAlert(new ReadOnlySpan<byte>(content, length));
        }
        else if (type == RecordType.Handshake && length > 0)
        {
            OnMessages(new ReadOnlySpan<byte>(content, length));
        }
        else if (type != RecordType.Data)
        {
            FailWith(AlertUnexpected, "the peer sent a record of a kind that has no place here");
        }
    }

    private void OnAlert(ReadOnlySpan<byte> alert)
    {
        if (alert.Length != 2)
        {
            FailWith(AlertMalformed, "the peer sent an alert that is none");
        }
        else if (alert[1] == AlertClose)
        {
            _endSeen = true;
            Handler?.OnEndOfStream();
        }
        else if (alert[1] != AlertCancelled)
        {
            Fail($"the peer ended the connection: tls alert {Marshal.PtrToStringUTF8(LibSsl.AlertText(alert[1]))}");
        }
    }

    private void OnMessages(ReadOnlySpan<byte> bytes)
    {
        switch (_records!.Messages.Take(bytes, acceptsTickets: !_context.IsServer))
        {
            case PostHandshakeResult.Nothing:
                break;
            case PostHandshakeResult.KeyUpdated:
                _records.TurnReadingKey();
                break;
            case PostHandshakeResult.KeyUpdateRequested:
                // Due before the next data: a peer that asks and asks and does not read has one answer at most (RFC 8446 §4.6.3).
                _records.TurnReadingKey();
                _records.IsNewKeyAsked = true;
                break;
            default:
                FailWith(AlertUnexpected, "the peer sent a handshake message that has no place behind the handshake");
                break;
        }
    }

    private void FailWith(byte alert, string problem)
    {
        // A cipher that refused may have said why, which libssl would take for a complaint about the next connection.
        LibSsl.ClearErrors();
        SendAlert(alert);
        Fail(problem);
    }

    private void SendAlert(byte alert)
    {
        if (!_records!.IsClosed)
        {
            // Nothing may follow, whether it is a goodbye or a complaint.
            _records.IsClosed = true;
            const byte Warning = 1;
            const byte Fatal = 2;
            _ = _engine.Seal(_records, RecordType.Alert, [alert == AlertClose ? Warning : Fatal, alert]);
            FlushOutput();
        }
    }
}

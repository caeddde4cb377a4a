// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Schema;

/// <summary>
/// Reads objects of built-in kinds in the binary form (application/vnd.kubernetes.protobuf), which kubectl sends from its
/// imperative commands. Answers are always JSON, which the same clients accept.
/// </summary>
public static class BinaryObject
{
    private static readonly byte[] _magic = "k8s\0"u8.ToArray();

    /// <summary>
    /// Fields that are pointers in the clients that write this form: an explicit zero in them is meant, whereas other zeros
    /// only say that the field is not set.
    /// </summary>
    private static readonly HashSet<string> _meantZeros = new(StringComparer.Ordinal)
    {
        "activeDeadlineSeconds", "allowPrivilegeEscalation", "automountServiceAccountToken", "blockOwnerDeletion", "controller",
        "defaultMode", "enableServiceLinks", "expirationSeconds", "fsGroup", "gracePeriodSeconds", "hostUsers", "immutable",
        "mode", "optional", "partition", "privileged", "procMount", "progressDeadlineSeconds", "readOnlyRootFilesystem",
        "replicas", "revisionHistoryLimit", "runAsGroup", "runAsNonRoot", "runAsUser", "setHostnameAsFQDN",
        "shareProcessNamespace", "terminationGracePeriodSeconds", "tolerationSeconds", "orphanDependents",
    };

    /// <summary>Messages whose mere presence says something.</summary>
    private static readonly HashSet<string> _meantMessages = new(StringComparer.Ordinal) { "emptyDir", "podSelector", "matchLabels" };

    public static bool IsBinary(ReadOnlySpan<byte> body) => body.StartsWith(_magic);

    public static JsonObject Decode(ReadOnlySpan<byte> body, SchemaSet schemas)
    {
        string? apiVersion = null;
        string? kind = null;
        ReadOnlySpan<byte> raw = default;
        var envelope = new WireReader(body[_magic.Length..]);
        while (envelope.Next())
        {
            if (envelope.Field == 2)
            {
                raw = envelope.Bytes;
            }
            else if (envelope.Field == 1)
            {
                var type = new WireReader(envelope.Bytes);
                while (type.Next())
                {
                    apiVersion = type.Field == 1 ? type.Text : apiVersion;
                    kind = type.Field == 2 ? type.Text : kind;
                }
            }
        }

        if (schemas.Find(apiVersion switch { "autoscaling/v1" => "autoscaling1." + kind, "events.k8s.io/v1" => "events1." + kind, _ => kind }) is not { } schema)
        {
            throw new ApiException(415, "UnsupportedMediaType", $"objects of kind '{kind}' are read as JSON only");
        }

        var tree = new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind };
        ReadMessage(tree, raw, schema, schemas, 0);
        return tree;
    }

    private static void ReadMessage(JsonObject tree, ReadOnlySpan<byte> bytes, ObjectSchema schema, SchemaSet schemas, int depth)
    {
        if (depth > ApiLimits.JsonDepth)
        {
            throw ApiException.BadRequest($"the body is nested deeper than {ApiLimits.JsonDepth} levels");
        }

        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            var number = reader.Field;
            var field = schema.Fields.Values.FirstOrDefault(item => item.Number == number);
            if (field is null)
            {
                continue;
            }

            if (field.Inline)
            {
                ReadMessage(tree, reader.Bytes, schemas.Get(field.Type.TypeName!), schemas, depth + 1);
                continue;
            }

            ReadField(tree, ref reader, field, schemas, depth);
        }
    }

    private static void ReadField(JsonObject tree, ref WireReader reader, FieldSchema field, SchemaSet schemas, int depth)
    {
        switch (field.Type.Kind)
        {
            case ValueKind.List:
                if (tree[field.Name] is not JsonArray list)
                {
                    tree[field.Name] = list = [];
                }

                list.Add(ReadValue(ref reader, field.Type.Element!, schemas, depth));
                return;
            case ValueKind.Map:
                ReadEntry(tree.Child(field.Name), reader.Bytes, field.Type.Element!, schemas, depth);
                return;
            default:
                var value = ReadValue(ref reader, field.Type, schemas, depth);
                if (Means(field, value))
                {
                    tree[field.Name] = value;
                }

                return;
        }
    }

    private static bool Means(FieldSchema field, JsonNode? value) => value switch
    {
        null => false,
        JsonObject { Count: 0 } => _meantMessages.Contains(field.Name),
        JsonValue when value.Text() is "" => false,
        JsonValue when value.Number() == 0 || (value is JsonValue flag && flag.TryGetValue<bool>(out var set) && !set) =>
            field.Type.Kind == ValueKind.IntOrString || _meantZeros.Contains(field.Name),
        _ => true,
    };

    private static void ReadEntry(JsonObject map, ReadOnlySpan<byte> bytes, TypeReference element, SchemaSet schemas, int depth)
    {
        var name = "";
        JsonNode? value = element.Kind is ValueKind.String or ValueKind.Bytes ? JsonValue.Create("") : null;
        var entry = new WireReader(bytes);
        while (entry.Next())
        {
            if (entry.Field == 1)
            {
                name = entry.Text;
            }
            else if (entry.Field == 2)
            {
                value = element.Kind == ValueKind.List
                    ? ReadItems(entry.Bytes, element.Element!, schemas, depth)
                    : ReadValue(ref entry, element, schemas, depth);
            }
        }

        map[name] = value;
    }

    /// <summary>A map of lists holds messages with the items in field 1.</summary>
    private static JsonArray ReadItems(ReadOnlySpan<byte> bytes, TypeReference element, SchemaSet schemas, int depth)
    {
        var items = new JsonArray();
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                items.Add(ReadValue(ref reader, element, schemas, depth));
            }
        }

        return items;
    }

    private static JsonNode? ReadValue(ref WireReader reader, TypeReference type, SchemaSet schemas, int depth)
    {
        switch (type.Kind)
        {
            case ValueKind.Object:
                var tree = new JsonObject();
                ReadMessage(tree, reader.Bytes, schemas.Get(type.TypeName!), schemas, depth + 1);
                return tree;
            case ValueKind.String:
                return reader.Text;
            case ValueKind.Bytes:
                return Convert.ToBase64String(reader.Bytes);
            case ValueKind.Bool:
                return reader.Number != 0;
            case ValueKind.Int:
                return (int)reader.Number;
            case ValueKind.Long:
                return reader.Number;
            case ValueKind.Number:
                return BitConverter.Int64BitsToDouble(reader.Number);
            case ValueKind.Quantity:
                return FirstText(reader.Bytes, 1);
            case ValueKind.IntOrString:
                return ReadIntOrString(reader.Bytes);
            case ValueKind.Time or ValueKind.MicroTime:
                return ReadTime(reader.Bytes, type.Kind == ValueKind.MicroTime);
            default:
                var raw = FirstText(reader.Bytes, 1);
                return string.IsNullOrEmpty(raw) ? null : RequestBody.Parse(Encoding.UTF8.GetBytes(raw), []);
        }
    }

    private static string? FirstText(ReadOnlySpan<byte> bytes, int number)
    {
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == number)
            {
                return reader.Text;
            }
        }

        return null;
    }

    private static JsonNode ReadIntOrString(ReadOnlySpan<byte> bytes)
    {
        var isText = false;
        var number = 0;
        var text = "";
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            isText = reader.Field == 1 ? reader.Number == 1 : isText;
            number = reader.Field == 2 ? (int)reader.Number : number;
            text = reader.Field == 3 ? reader.Text : text;
        }

        return isText ? text : number;
    }

    private static JsonNode? ReadTime(ReadOnlySpan<byte> bytes, bool micro)
    {
        long? seconds = null;
        var nanos = 0L;
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            seconds = reader.Field == 1 ? reader.Number : seconds;
            nanos = reader.Field == 2 ? reader.Number : nanos;
        }

        if (seconds is null)
        {
            return null;
        }

        var moment = DateTimeOffset.FromUnixTimeSeconds(seconds.Value).AddTicks(nanos / 100);
        return micro
            ? moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture)
            : JsonText.Timestamp(moment);
    }

    /// <summary>Walks the fields of one message.</summary>
    private ref struct WireReader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;
        private ReadOnlySpan<byte> _content;
        private int _wireType;

        public int Field { get; private set; }

        public long Number { get; private set; }

        public readonly ReadOnlySpan<byte> Bytes => _wireType == 2 ? _content : throw Malformed();

        public readonly string Text => Encoding.UTF8.GetString(Bytes);

        public bool Next()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            var tag = ReadNumber();
            Field = (int)(tag >> 3);
            _wireType = (int)(tag & 7);
            switch (_wireType)
            {
                case 0:
                    Number = (long)ReadNumber();
                    return true;
                case 1:
                    Number = BinaryPrimitives.ReadInt64LittleEndian(Take(8));
                    return true;
                case 2:
                    _content = Take(ReadNumber());
                    return true;
                case 5:
                    Number = BinaryPrimitives.ReadInt32LittleEndian(Take(4));
                    return true;
                default:
                    throw Malformed();
            }
        }

        private static ApiException Malformed() => ApiException.BadRequest("the binary object is malformed");

        private ReadOnlySpan<byte> Take(ulong length)
        {
            if (length > (ulong)_rest.Length)
            {
                throw Malformed();
            }

            var taken = _rest[..(int)length];
            _rest = _rest[(int)length..];
            return taken;
        }

        private ulong ReadNumber()
        {
            var result = 0UL;
            for (var i = 0; i < 10 && i < _rest.Length; i++)
            {
                result |= (ulong)(_rest[i] & 0x7f) << (7 * i);
                if (_rest[i] < 0x80)
                {
                    _rest = _rest[(i + 1)..];
                    return result;
                }
            }

            throw Malformed();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Weft.Control.Serving;

/// <summary>xDS messages as JSON the way Envoy's admin port prints them: field names as in the .proto, <c>Any</c> unpacked.</summary>
internal static class MessageJson
{
    private static readonly Dictionary<string, MessageDescriptor> _inAny = new MessageDescriptor[]
    {
        Envoy.Config.Cluster.V3.Cluster.Descriptor,
        Envoy.Config.Endpoint.V3.ClusterLoadAssignment.Descriptor,
        Envoy.Config.Listener.V3.Listener.Descriptor,
        Envoy.Config.Route.V3.RouteConfiguration.Descriptor,
        Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Descriptor,
        Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy.Descriptor,
        Envoy.Extensions.Filters.Http.Router.V3.Router.Descriptor,
        Envoy.Extensions.Filters.Http.Fault.V3.HTTPFault.Descriptor,
        Envoy.Extensions.TransportSockets.Tls.V3.UpstreamTlsContext.Descriptor,
        Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext.Descriptor,
        Envoy.Extensions.TransportSockets.Tls.V3.Secret.Descriptor,
        Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions.Descriptor,
        Weft.V1.ClusterFacts.Descriptor,
        Weft.V1.ChainFacts.Descriptor,
        Weft.V1.RouteFacts.Descriptor,
        Weft.V1.WorkloadFacts.Descriptor,
    }.ToDictionary(descriptor => descriptor.FullName, StringComparer.Ordinal);

    /// <summary>A resource as it travels; of a type that we do not know only the name of the type.</summary>
    public static JsonObject Of(string typeUrl, ByteString body)
    {
        var json = new JsonObject { ["@type"] = typeUrl };
        var name = typeUrl[(typeUrl.LastIndexOf('/') + 1)..];
        if (_inAny.TryGetValue(name, out var descriptor))
        {
            AddFields(json, descriptor.Parser.ParseFrom(body));
        }

        return json;
    }

    private static JsonNode? Of(IMessage message)
    {
        if (message is Any any)
        {
            return Of(any.TypeUrl, any.Value);
        }

        if (message.Descriptor.File.Package == "google.protobuf")
        {
            return JsonNode.Parse(JsonFormatter.Default.Format(message));
        }

        var json = new JsonObject();
        AddFields(json, message);
        return json;
    }

    private static void AddFields(JsonObject json, IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            var value = field.Accessor.GetValue(message);
            if (field.IsMap)
            {
                AddMap(json, field, (IDictionary)value);
            }
            else if (field.IsRepeated)
            {
                AddList(json, field, (IList)value);
            }
            else if (field.HasPresence ? field.Accessor.HasValue(message) : !IsDefault(value))
            {
                json[field.Name] = Scalar(field, value);
            }
        }
    }

    private static void AddMap(JsonObject json, FieldDescriptor field, IDictionary map)
    {
        if (map.Count == 0)
        {
            return;
        }

        var valueField = field.MessageType.FindFieldByNumber(2);
        var result = new JsonObject();
        foreach (DictionaryEntry entry in map)
        {
            result[entry.Key.ToString()!] = Scalar(valueField, entry.Value!);
        }

        json[field.Name] = result;
    }

    private static void AddList(JsonObject json, FieldDescriptor field, IList list)
    {
        if (list.Count > 0)
        {
            json[field.Name] = new JsonArray([.. list.Cast<object>().Select(item => Scalar(field, item))]);
        }
    }

    private static bool IsDefault(object value) => value switch
    {
        string text => text.Length == 0,
        ByteString bytes => bytes.IsEmpty,
        bool flag => !flag,
        System.Enum number => Convert.ToInt64(number, System.Globalization.CultureInfo.InvariantCulture) == 0,
        IConvertible number => Convert.ToDouble(number, System.Globalization.CultureInfo.InvariantCulture) == 0,
        _ => false,
    };

    private static JsonNode? Scalar(FieldDescriptor field, object value) => value switch
    {
        IMessage message => Of(message),
        string text => text,
        bool flag => flag,
        ByteString bytes => bytes.ToBase64(),
        System.Enum number => field.EnumType.FindValueByNumber(Convert.ToInt32(number, System.Globalization.CultureInfo.InvariantCulture))?.Name,

        // wrappers of google/protobuf/wrappers.proto arrive unwrapped
        int number => number,
        uint number => number,
        long number => number,
        ulong number => number,
        float number => number,
        double number => number,
        _ => value.ToString(),
    };
}

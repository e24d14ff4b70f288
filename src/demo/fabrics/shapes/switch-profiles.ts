// The catalogue of switch models, as the controller writes it.

import type { JsonObject } from '../json.ts';
import type { Draft } from '../stored-object.ts';
import type { Drafting } from './drafting.ts';
import { count } from './shape.ts';

interface Model {
  readonly name: string;
  readonly ports: number;
  readonly speed: string;
}

const m = (name: string, ports: number, speed: string): Model => ({ name, ports, speed });

/** The first sixteen run Broadcom's SONiC; the others only where an installation includes their systems. */
const models: readonly Model[] = [
  m('celestica-ds2000', 56, '25G'),
  m('celestica-ds3000', 32, '100G'),
  m('celestica-ds4000', 32, '400G'),
  m('celestica-ds4101', 32, '800G'),
  m('celestica-ds5000', 64, '800G'),
  m('dell-s5232f-on', 32, '100G'),
  m('dell-s5248f-on', 56, '25G'),
  m('dell-z9332f-on', 32, '400G'),
  m('edgecore-dcs203', 56, '25G'),
  m('edgecore-dcs204', 32, '100G'),
  m('edgecore-dcs240', 64, '400G'),
  m('edgecore-dcs501', 32, '100G'),
  m('edgecore-dcs510', 32, '400G'),
  m('edgecore-eps203', 54, '10G'),
  m('supermicro-sse-c4632sb', 32, '100G'),
  m('vs', 32, '100G'),
  m('celestica-ds2000-clsp', 56, '25G'),
  m('celestica-ds3000-clsp', 32, '100G'),
  m('celestica-ds4000-clsp', 32, '400G'),
  m('celestica-ds4101-clsp', 32, '800G'),
  m('celestica-ds5000-clsp', 64, '800G'),
  m('nvidia-sn4700-cumulus', 32, '400G'),
  m('nvidia-sn5600-cumulus', 64, '800G'),
];

/** How many front ports a switch of this profile has. */
export const portsOf = (profile: string): number => models.find(({ name }) => name === profile)?.ports ?? 32;

export function switchProfiles(howMany: number, draft: Drafting): Draft[] {
  return models.slice(0, howMany).map((model) => {
    const ports: Record<string, JsonObject> = { M1: { management: true, nos: 'Management0', oniePortName: 'eth0' } };
    for (const n of count(model.ports)) {
      ports[`E1/${n}`] = {
        baseNOSName: `Ethernet${(n - 1) * 4}`,
        label: String(n),
        nos: `1/${n}`,
        profile: `port-${model.speed}`,
      };
    }
    const whole = `1x${model.speed}`;
    return draft(
      'SwitchProfile',
      model.name,
      {
        config: { maxPathsEBGP: 64 },
        displayName: model.name.split('-').map(capital).join(' '),
        features: {
          acls: true,
          eslag: true,
          l2vni: true,
          l3vni: true,
          mclag: false,
          roce: model.speed !== '10G',
          subinterfaces: true,
        },
        nosType: nosTypeOf(model.name),
        platform: `x86_64-${model.name}-r0`,
        portProfiles: {
          [`port-${model.speed}`]: {
            autoNegAllowed: true,
            breakout: {
              default: whole,
              supported: {
                [whole]: { offsets: ['0'] },
                '2x400G': { offsets: ['0', '4'] },
                '4x100G': { offsets: ['0', '2', '4', '6'] },
                '4x200G': { offsets: ['0', '2', '4', '6'] },
              },
            },
          },
        },
        ports,
        switchSilicon: 'silicon',
      },
      { annotations: { 'fabric.githedgehog.com/ports': `${model.ports}x${model.speed}` } },
    );
  });
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

function nosTypeOf(name: string): string {
  if (name.endsWith('-cumulus')) return 'cumulus-nvue';
  if (name.endsWith('-clsp')) return 'sonic-cls-plus';
  return name === 'vs' ? 'sonic-bcm-vs' : 'sonic-bcm-base';
}

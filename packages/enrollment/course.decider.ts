import { isDeepStrictEqual } from 'node:util';
import { type Command, type Decider, DomainError, unreachable } from '../eventsourcing';
import type { CourseEvent, Validity } from './enrollment.events';

interface CourseContent {
  readonly title: string;
  readonly validity: Validity;
  readonly assessment: string | null;
}

export interface Course {
  /** 0 before the first publication. */
  readonly version: number;
  readonly published: CourseContent | null;
  /** Not yet published; null when nothing is. */
  readonly draft: CourseContent | null;
  readonly isRetired: boolean;
}

const initialState: Course = { version: 0, published: null, draft: null, isRetired: false };

interface CourseFields {
  validity?: Validity;
  assessment?: string;
}

export interface CourseCommandData {
  DraftCourse: { course: string; title: string } & CourseFields;
  /** What is left out is taken from the draft, or from the version before. */
  PublishCourse: { course: string; title?: string } & CourseFields;
  RetireCourse: { course: string };
}

export type CourseCommand = {
  [Type in keyof CourseCommandData]: Command<Type, CourseCommandData[Type]>;
}[keyof CourseCommandData];

function decide(command: CourseCommand, state: Course): readonly CourseEvent[] {
  const { course } = command.data;
  switch (command.type) {
    case 'DraftCourse': {
      const draft = contentOf(command.data, state, command.data.title);
      return isDeepStrictEqual(draft, state.draft) ? [] : [{ type: 'CourseDrafted', data: { course, ...draft } }];
    }
    case 'PublishCourse': {
      const title = command.data.title ?? state.draft?.title ?? state.published?.title;
      if (title === undefined) {
        throw new DomainError('nothing-to-publish', `The course ${course} has no draft: give it a title.`);
      }
      const content = contentOf(command.data, state, title);
      if (!state.isRetired && !state.draft && isDeepStrictEqual(content, state.published)) return [];
      return [{ type: 'CoursePublished', data: { course, version: state.version + 1, ...content } }];
    }
    case 'RetireCourse':
      if (state.isRetired) return [];
      if (state.version === 0)
        throw new DomainError('course-not-published', `The course ${course} was never published.`);
      return [{ type: 'CourseRetired', data: { course } }];
    default:
      return unreachable(command);
  }
}

function contentOf({ validity, assessment }: CourseFields, { draft, published }: Course, title: string): CourseContent {
  const before = draft ?? published;
  return {
    title,
    validity: validity ?? before?.validity ?? { kind: 'unlimited' },
    assessment: assessment ?? before?.assessment ?? null,
  };
}

function evolve(state: Course, event: CourseEvent): Course {
  switch (event.type) {
    case 'CourseDrafted': {
      const { title, validity, assessment } = event.data;
      return { ...state, draft: { title, validity, assessment } };
    }
    case 'CoursePublished': {
      const { version, title, validity, assessment } = event.data;
      return { version, published: { title, validity, assessment }, draft: null, isRetired: false };
    }
    case 'CourseRetired':
      return { ...state, isRetired: true };
    default:
      return unreachable(event);
  }
}

export const courseDecider: Decider<Course, CourseCommand, CourseEvent> = {
  category: 'course',
  initialState,
  id: ({ data }) => data.course,
  decide,
  evolve,
};
